using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Functions.Engine;
using FedServerless.Testing.Engine;
using FedServerless.Workflows.Engine;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace FedServerless.Functions.Tests.Engine;

/// <summary>
/// The adapter on Microsoft.DurableTask's in-process backend, in real time. What the triggers of the app do is done here: an
/// orchestrator and an activity for everything that is bound, and the adapter's own activity.
/// </summary>
internal sealed class DurableFixture(IJsonTypeInfoResolver? json = null) : IEngineFixture, IWorkflowBinder
{
    /// <summary>Longest an instance may take to end in a test.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private RegistryBuilder _registry = new(json ?? new DefaultJsonTypeInfoResolver());
    private readonly RecordingLoggerFactory _log = new();
    private readonly SemaphoreSlim _starting = new(1);
    private int _working;
    private DurableBackend? _backend;
    private DurableEngine? _engine;

    public IWorkflowClient Client => field ??= new StartingClient(this);

    public DateTimeOffset UtcNow => TimeProvider.System.GetUtcNow();

    public TimeSpan Unit => TimeSpan.FromSeconds(1.5);

    public IReadOnlyList<string> WorkflowLog => _log.Lines(2105);

    public string CannotLoseActivities => "The in-process backend keeps no leases: an activity whose worker died is never given to another.";

    /// <summary>Sees every message on its way: what it is and its bytes.</summary>
    public Action<string, string>? OnMessage { get; set; }

    public void AddWorkflow<TInput, TOutput>(Workflow<TInput, TOutput> workflow, IWorkflow<TInput, TOutput> code) => Bind(workflow, code);

    public void AddActivity<TInput, TOutput>(Activity<TInput, TOutput> activity, Func<TInput, CancellationToken, Task<TOutput>> code) =>
        Bind(activity, new LambdaActivity<TInput, TOutput>(code));

    public void Bind<TInput, TOutput>(Workflow<TInput, TOutput> workflow, IWorkflow<TInput, TOutput> code) => _registry.Bind(workflow, code);

    public void Bind<TInput, TOutput>(Activity<TInput, TOutput> activity, IActivity<TInput, TOutput> code) => _registry.Bind(activity, code);

    public async Task<WorkflowStatus> CompleteAsync(string instanceId)
    {
        for (var end = UtcNow + Patience; UtcNow < end; await Task.Delay(TimeSpan.FromMilliseconds(20)))
        {
            if (await Client.GetStatusAsync(instanceId, CancellationToken.None) is { Phase: not WorkflowPhase.Running } status)
            {
                return status;
            }
        }

        throw new InvalidOperationException($"{instanceId} waits for what will never come; log:\n{string.Join('\n', _log.All)}");
    }

    public async Task AdvanceAsync(TimeSpan by)
    {
        await BackendAsync();
        await Task.Delay(by);
    }

    public Task RestartAsync(TimeSpan down = default) => RestartAsync(null, down);

    /// <summary>Stops the worker and starts another, with other code if <paramref name="deploy"/> binds it.</summary>
    public async Task RestartAsync(Action<IWorkflowBinder>? deploy, TimeSpan down = default)
    {
        var backend = await BackendAsync();

        // What a stopped worker had in hand is lost to this backend: it is stopped between two pieces of work.
        var quiet = 0;
        while (quiet < 10)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20));
            quiet = Volatile.Read(ref _working) == 0 ? quiet + 1 : 0;
        }

        await backend.StopWorkerAsync();
        if (deploy is not null)
        {
            _registry = new RegistryBuilder(json ?? new DefaultJsonTypeInfoResolver());
            deploy(this);
            _engine = NewEngine();
        }

        await Task.Delay(down);
        await backend.StartWorkerAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_backend is not null)
        {
            await _backend.DisposeAsync();
        }

        _starting.Dispose();
        _log.Dispose();
    }

    /// <summary>Durable's own client.</summary>
    public async Task<DurableTaskClient> DurableAsync() => (await BackendAsync()).Client;

    private async Task<DurableBackend> BackendAsync()
    {
        await _starting.WaitAsync();
        try
        {
            return _backend ??= await StartAsync();
        }
        finally
        {
            _starting.Release();
        }
    }

    private async Task<DurableBackend> StartAsync()
    {
        _engine = NewEngine();
        return await DurableBackend.StartAsync(Register, _log);
    }

    private DurableEngine NewEngine() =>
        new(_registry.Build(), new DurableEngineOptions { FirstLook = TimeSpan.FromMilliseconds(200) }, _log.CreateLogger<DurableEngine>());

    private void Register(DurableTaskRegistry tasks)
    {
        var registry = _engine!.Registry;
        foreach (var workflow in registry.Workflows.Keys)
        {
            tasks.AddOrchestratorFunc<JsonElement, JsonElement>(workflow, async (context, input) => See(workflow, input, await _engine!.RunWorkflowAsync(context)));
        }

        foreach (var activity in registry.Activities.Keys)
        {
            tasks.AddActivityFunc<JsonElement, JsonElement>(
                activity,
                (context, input) => WorkAsync(activity, input, () => _engine!.RunActivityAsync(activity, input, context.InstanceId, CancellationToken.None)));
        }

        tasks.AddActivityFunc<JsonElement, JsonElement>(
            DurableSteps.AttachChild,
            (context, input) => WorkAsync(
                DurableSteps.AttachChild, input, () => _engine!.AttachChildAsync(input, _backend!.Client, context.InstanceId, CancellationToken.None)));
    }

    private async Task<JsonElement> WorkAsync(string activity, JsonElement input, Func<Task<JsonElement>> work)
    {
        Interlocked.Increment(ref _working);
        try
        {
            return See(activity, input, await work());
        }
        finally
        {
            Interlocked.Decrement(ref _working);
        }
    }

    private JsonElement See(string name, JsonElement input, JsonElement output)
    {
        OnMessage?.Invoke($"input of {name}", input.GetRawText());
        OnMessage?.Invoke($"output of {name}", output.GetRawText());
        return output;
    }

    /// <summary>Starts the backend at first use, after everything was registered.</summary>
    private sealed class StartingClient(DurableFixture fixture) : IWorkflowClient
    {
        public async Task<bool> StartAsync<TInput, TOutput>(
            Workflow<TInput, TOutput> workflow, string instanceId, TInput input, CancellationToken cancellationToken) =>
            await (await InnerAsync()).StartAsync(workflow, instanceId, input, cancellationToken);

        public async Task WakeAsync(string instanceId, string eventName, CancellationToken cancellationToken) =>
            await (await InnerAsync()).WakeAsync(instanceId, eventName, cancellationToken);

        public async Task<WorkflowStatus?> GetStatusAsync(string instanceId, CancellationToken cancellationToken) =>
            await (await InnerAsync()).GetStatusAsync(instanceId, cancellationToken);

        public async Task<bool> PurgeAsync(string instanceId, CancellationToken cancellationToken) =>
            await (await InnerAsync()).PurgeAsync(instanceId, cancellationToken);

        private async Task<IWorkflowClient> InnerAsync()
        {
            var backend = await fixture.BackendAsync();
            return fixture._engine!.Client(backend.Client);
        }
    }
}
