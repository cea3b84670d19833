using System.Collections.Concurrent;
using System.Globalization;
using FedServerless.Workflows.Engine;
using Xunit;

namespace FedServerless.Testing.Engine;

/// <summary>
/// docs/concepts/engine.md, one fact for each sentence. Every engine has a three-line subclass. Uses the ports and
/// <see cref="IEngineFixture"/> only.
/// </summary>
public abstract partial class EngineConformanceTests : IAsyncLifetime
{
    private static readonly RetrySpec Once = new(1, TimeSpan.Zero, 1, TimeSpan.Zero);
    private static readonly Workflow<int, string> Main = new("Main");
    private static readonly Activity<int, int> Double = new("Double", Once);

    // Null only where a stand-in skipped before there was one.
    private IEngineFixture _engine = null!;

    public async ValueTask InitializeAsync() => _engine = await CreateAsync();

    public async ValueTask DisposeAsync()
    {
        if (_engine is not null)
        {
            await _engine.DisposeAsync();
        }

        await CleanUpAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>A fresh engine with nothing registered and nothing remembered.</summary>
    protected abstract ValueTask<IEngineFixture> CreateAsync();

    /// <summary>Removes what the engine left behind.</summary>
    protected virtual ValueTask CleanUpAsync() => ValueTask.CompletedTask;

    /// <summary>So many units of the fixture's time.</summary>
    private TimeSpan Units(double count) => _engine.Unit * count;

    private static Turn<int, string> Done(object? output) => Turn<int, string>.Done(Convert.ToString(output, CultureInfo.InvariantCulture)!);

    private static Turn<int, string> Again(int input) => Turn<int, string>.Again(input);

    private void On(Func<IWorkflowContext, int, Task<Turn<int, string>>> code) => On(Main, code);

    private void On<TInput, TOutput>(Workflow<TInput, TOutput> workflow, Func<IWorkflowContext, TInput, Task<Turn<TInput, TOutput>>> code) =>
        _engine.AddWorkflow(workflow, new LambdaWorkflow<TInput, TOutput>(code));

    private void On<TInput, TOutput>(Activity<TInput, TOutput> activity, Func<TInput, TOutput> code) =>
        _engine.AddActivity(activity, (input, _) => Task.FromResult(code(input)));

    private Task<bool> StartAsync(int input = 0, string id = "a") => _engine.Client.StartAsync(Main, id, input, CancellationToken.None);

    private async Task<WorkflowStatus> RunAsync(int input = 0, string id = "a")
    {
        await StartAsync(input, id);
        return await _engine.CompleteAsync(id);
    }

    private async Task<string> OutputAsync(int input = 0)
    {
        var status = await RunAsync(input);
        Assert.Null(status.Error);
        return status.Output!.Trim('"');
    }

    private async Task<string> ErrorAsync(int input = 0)
    {
        var status = await RunAsync(input);
        Assert.Equal(WorkflowPhase.Failed, status.Phase);
        Assert.Null(status.Output);
        return status.Error!;
    }

    private async Task<WorkflowStatus?> StatusAsync(string id = "a") => await _engine.Client.GetStatusAsync(id, CancellationToken.None);

    private async Task AssertOutputAsync(string expected, string id = "a")
    {
        var status = await _engine.CompleteAsync(id);
        Assert.Null(status.Error);
        Assert.Equal($"\"{expected}\"", status.Output);
    }

    private Task WakeAsync(string name, string id = "a") => _engine.Client.WakeAsync(id, name, CancellationToken.None);

    /// <summary>Counts effects by name, from any thread.</summary>
    private sealed class Tally
    {
        private readonly ConcurrentDictionary<string, int> _counts = new(StringComparer.Ordinal);

        public int this[string name] => _counts.GetValueOrDefault(name);

        public int Add(string name) => _counts.AddOrUpdate(name, 1, static (_, n) => n + 1);
    }
}
