using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Functions.Engine;
using FedServerless.Testing.Engine;
using FedServerless.Workflows.Engine;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging.Abstractions;

namespace FedServerless.Functions.Tests.Engine;

/// <summary>What backends do differently, one at a time: the answers that the port promises must be the same.</summary>
public sealed class DurableWorkflowClientTests : IAsyncDisposable
{
    private static readonly Workflow<int, int> Main = new("Main");

    private readonly ScriptedClient _backend = new();
    private readonly DurableWorkflowClient _client;

    public DurableWorkflowClientTests()
    {
        var registry = new RegistryBuilder(new DefaultJsonTypeInfoResolver());
        registry.Bind(Main, new LambdaWorkflow<int, int>((_, n) => Task.FromResult(Turn<int, int>.Done(n))));
        _client = new DurableWorkflowClient(_backend, registry.Build(), NullLogger.Instance);
    }

    [Fact]
    public async Task StartAsync_BackendTellsTwoThatTheyStartedIt_OnlyTheOneKeptIsTold()
    {
        _backend.OnSchedule = _ => _backend.Known = Running("another's token");
        Assert.False(await StartAsync());
    }

    [Fact]
    public async Task StartAsync_BackendRefusesAnIdThatExistsByNow_IsFalse()
    {
        _backend.OnSchedule = _ =>
        {
            _backend.Known = Running("another's token");
            throw new InvalidOperationException("exists, in this backend's words");
        };
        Assert.False(await StartAsync());
    }

    [Fact]
    public async Task StartAsync_AnswerIsLostButItWasStarted_IsTrue()
    {
        _backend.OnSchedule = input =>
        {
            _backend.Known = new OrchestrationMetadata("Main", "a") { SerializedInput = input };
            throw new IOException("connection reset");
        };
        Assert.True(await StartAsync());
    }

    [Fact]
    public async Task StartAsync_BackendIsDown_Throws()
    {
        _backend.OnSchedule = _ => throw new IOException("down");
        await Assert.ThrowsAsync<IOException>(StartAsync);
    }

    [Fact]
    public async Task StartAsync_EndedId_IsNotEvenAskedFor()
    {
        _backend.Known = new OrchestrationMetadata("Main", "a") { RuntimeStatus = OrchestrationRuntimeStatus.Completed };
        Assert.False(await StartAsync());
        Assert.Equal(0, _backend.Scheduled);
    }

    [Fact]
    public async Task StartAsync_EveryStatus_IsToBeKept()
    {
        await StartAsync();
        Assert.Equal(["Canceled", "Completed", "Failed", "Pending", "Running", "Suspended", "Terminated"], _backend.Options!.DedupeStatuses!.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(OrchestrationRuntimeStatus.Completed)]
    [InlineData(OrchestrationRuntimeStatus.Failed)]
    [InlineData(OrchestrationRuntimeStatus.Terminated)]
    public async Task WakeAsync_Nobody_RaisesNothing(OrchestrationRuntimeStatus? status)
    {
        _backend.Known = status is { } known ? new OrchestrationMetadata("Main", "a") { RuntimeStatus = known } : null;
        await _client.WakeAsync("a", "go", CancellationToken.None);
        Assert.Empty(_backend.Raised);
    }

    [Fact]
    public async Task WakeAsync_BackendIsDown_IsAHintLost()
    {
        _backend.Known = Running("token");
        _backend.OnRaise = () => throw new IOException("down");
        await _client.WakeAsync("a", "go", CancellationToken.None);
        Assert.Equal(["go"], _backend.Raised);
    }

    [Theory]
    [InlineData(OrchestrationRuntimeStatus.Pending, WorkflowPhase.Running)]
    [InlineData(OrchestrationRuntimeStatus.Running, WorkflowPhase.Running)]
    [InlineData(OrchestrationRuntimeStatus.Suspended, WorkflowPhase.Running)]
    [InlineData(OrchestrationRuntimeStatus.Completed, WorkflowPhase.Completed)]
    [InlineData(OrchestrationRuntimeStatus.Failed, WorkflowPhase.Failed)]
    [InlineData(OrchestrationRuntimeStatus.Terminated, WorkflowPhase.Failed)]
    public async Task GetStatusAsync_EveryStatus_HasItsPhase(OrchestrationRuntimeStatus status, WorkflowPhase phase)
    {
        _backend.Known = new OrchestrationMetadata("Main", "a") { RuntimeStatus = status, SerializedOutput = "1" };
        Assert.Equal(phase, (await _client.GetStatusAsync("a", CancellationToken.None))!.Phase);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("", null)]
    [InlineData("null", null)]
    [InlineData("\"collecting\"", "collecting")]
    public async Task GetStatusAsync_CustomStatus_IsTextOrNone(string? stored, string? status)
    {
        _backend.Known = new OrchestrationMetadata("Main", "a") { SerializedCustomStatus = stored };
        Assert.Equal(status, (await _client.GetStatusAsync("a", CancellationToken.None))!.Status);
    }

    [Theory]
    [InlineData("FedServerless.Functions.Engine.WorkflowFailedException: System.IO.IOException: no disk", "System.IO.IOException: no disk")]
    [InlineData("Terminated by hand", "Terminated by hand")]
    [InlineData(null, "The instance failed and its backend does not say why.")]
    public async Task GetStatusAsync_FailureKeptAsText_IsReadFromIt(string? output, string error)
    {
        _backend.Known = new OrchestrationMetadata("Main", "a") { RuntimeStatus = OrchestrationRuntimeStatus.Failed, SerializedOutput = output };
        Assert.Equal(error, (await _client.GetStatusAsync("a", CancellationToken.None))!.Error);
    }

    [Fact]
    public async Task GetStatusAsync_FailureKeptAsDetails_IsReadFromThem()
    {
        var details = new TaskFailureDetails(typeof(WorkflowFailedException).FullName!, "System.IO.IOException: no disk", null, null, null);
        _backend.Known = new OrchestrationMetadata("Main", "a") { RuntimeStatus = OrchestrationRuntimeStatus.Failed, FailureDetails = details };
        Assert.Equal("System.IO.IOException: no disk", (await _client.GetStatusAsync("a", CancellationToken.None))!.Error);
    }

    [Fact]
    public async Task PurgeAsync_Running_IsNotAskedFor()
    {
        _backend.Known = Running("token");
        Assert.False(await _client.PurgeAsync("a", CancellationToken.None));
        Assert.Equal(0, _backend.Purged);
    }

    public ValueTask DisposeAsync() => _backend.DisposeAsync();

    private static OrchestrationMetadata Running(string token) =>
        new("Main", "a") { RuntimeStatus = OrchestrationRuntimeStatus.Running, SerializedInput = new StartMessage(Json.Null, token).Write().GetRawText() };

    private Task<bool> StartAsync() => _client.StartAsync(Main, "a", 1, CancellationToken.None);

    private sealed class ScriptedClient() : DurableTaskClient("scripted")
    {
        public OrchestrationMetadata? Known { get; set; }

        public Action<string>? OnSchedule { get; set; }

        public Action? OnRaise { get; set; }

        public int Scheduled { get; private set; }

        public int Purged { get; private set; }

        public StartOrchestrationOptions? Options { get; private set; }

        public List<string> Raised { get; } = [];

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

        public override Task<OrchestrationMetadata?> GetInstancesAsync(string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
            Task.FromResult(Known);

        public override Task<string> ScheduleNewOrchestrationInstanceAsync(
            TaskName orchestratorName, object? input = null, StartOrchestrationOptions? options = null, CancellationToken cancellation = default)
        {
            (Scheduled, Options) = (Scheduled + 1, options);
            OnSchedule?.Invoke(((JsonElement)input!).GetRawText());
            return Task.FromResult(options!.InstanceId!);
        }

        public override Task RaiseEventAsync(string instanceId, string eventName, object? eventPayload = null, CancellationToken cancellation = default)
        {
            Raised.Add(eventName);
            OnRaise?.Invoke();
            return Task.CompletedTask;
        }

        public override Task<PurgeResult> PurgeInstanceAsync(string instanceId, PurgeInstanceOptions? options = null, CancellationToken cancellation = default)
        {
            Purged++;
            return Task.FromResult(new PurgeResult(1));
        }

        public override AsyncPageable<OrchestrationMetadata> GetAllInstancesAsync(OrchestrationQuery? filter = null) => throw Unused();

        public override Task<OrchestrationMetadata> WaitForInstanceStartAsync(
            string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) => throw Unused();

        public override Task<OrchestrationMetadata> WaitForInstanceCompletionAsync(
            string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) => throw Unused();

        public override Task SuspendInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default) => throw Unused();

        public override Task ResumeInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default) => throw Unused();

        private static NotSupportedException Unused() => new("The adapter does not use it.");
    }
}
