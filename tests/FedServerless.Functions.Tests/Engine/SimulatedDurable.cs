using System.Text.Json;
using FedServerless.Functions.Engine;
using FedServerless.Workflows.Engine;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FedServerless.Functions.Tests.Engine;

/// <summary>
/// The adapter on a Durable whose time is skipped: enough of its orchestration context and client to count what seven days cost. One
/// thread, no replay: what replays is shown on Microsoft.DurableTask itself.
/// </summary>
internal sealed class SimulatedDurable(Registry registry)
{
    private readonly DurableEngine _engine = new(registry, new DurableEngineOptions(), NullLogger<DurableEngine>.Instance);
    private readonly Dictionary<string, Orchestration> _instances = new(StringComparer.Ordinal);
    private readonly Queue<Func<Task>> _ready = new();
    private readonly PriorityQueue<Action, DateTime> _timers = new();

    public DateTime Now { get; private set; } = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>Actions that the backend was asked for, by instance: every activity, timer and event, waits not counted.</summary>
    public Dictionary<string, int> Asked { get; } = new(StringComparer.Ordinal);

    public IWorkflowClient Client => _engine.Client(new SimulatedClient(this));

    /// <summary>Events never arrive.</summary>
    public bool LosesEvents { get; set; }

    public void At(DateTime moment, Action action) => _timers.Enqueue(action, moment);

    public void Raise(string instanceId, string name) => _ready.Enqueue(() =>
    {
        if (!LosesEvents)
        {
            _instances.GetValueOrDefault(instanceId)?.Context?.Raise(name);
        }

        return Task.CompletedTask;
    });

    /// <summary>Runs everything, timer after timer, until nothing is left.</summary>
    public async Task RunAsync()
    {
        while (true)
        {
            while (_ready.TryDequeue(out var work))
            {
                await work();
            }

            if (!_timers.TryDequeue(out var due, out var at))
            {
                return;
            }

            Now = at > Now ? at : Now;
            due();
        }
    }

    private void Start(string workflow, string instanceId, JsonElement input)
    {
        var instance = _instances[instanceId] = new Orchestration(workflow, input);
        _ready.Enqueue(() => TurnAsync(instanceId, instance, input));
    }

    private Task TurnAsync(string instanceId, Orchestration instance, JsonElement input)
    {
        var context = instance.Context = new Context(this, instance.Workflow, instanceId, input);
        _ = EndAsync();
        return Task.CompletedTask;

        async Task EndAsync()
        {
            try
            {
                var output = await _engine.RunWorkflowAsync(context);
                instance.Output = context.Next is null ? output.GetRawText() : null;
            }
            catch (WorkflowFailedException failed)
            {
                instance.Error = failed.Message;
            }

            if (context.Next is { } next)
            {
                _ready.Enqueue(() => TurnAsync(instanceId, instance, next));
            }
        }
    }

    private sealed class Orchestration(string workflow, JsonElement input)
    {
        public string Workflow => workflow;

        public JsonElement Input => input;

        public Context? Context { get; set; }

        public string? Output { get; set; }

        public string? Error { get; set; }
    }

    private sealed class Context(SimulatedDurable host, string workflow, string instanceId, JsonElement input) : TaskOrchestrationContext
    {
        private readonly Dictionary<string, Queue<TaskCompletionSource<object?>>> _waits = new(StringComparer.Ordinal);
        private readonly Dictionary<string, int> _buffered = new(StringComparer.Ordinal);

        public JsonElement? Next { get; private set; }

        public override TaskName Name => workflow;

        public override string InstanceId => instanceId;

        public override ParentOrchestrationInstance? Parent => null;

        public override DateTime CurrentUtcDateTime => host.Now;

        public override bool IsReplaying => false;

        protected override ILoggerFactory LoggerFactory => NullLoggerFactory.Instance;

        public override T GetInput<T>() => (T)(object)input;

        public override Task<TResult> CallActivityAsync<TResult>(TaskName name, object? activityInput = null, TaskOptions? options = null)
        {
            Ask();
            var completion = new TaskCompletionSource<TResult>();
            host._ready.Enqueue(async () =>
            {
                var message = (JsonElement)activityInput!;
                var reply = name.Name == DurableSteps.AttachChild
                    ? await host._engine.AttachChildAsync(message, new SimulatedClient(host), instanceId, CancellationToken.None)
                    : await host._engine.RunActivityAsync(name.Name, message, instanceId, CancellationToken.None);
                completion.SetResult((TResult)(object)reply);
            });
            return completion.Task;
        }

        public override Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken)
        {
            Ask();
            var completion = new TaskCompletionSource();
            cancellationToken.Register(() => completion.TrySetCanceled(cancellationToken));
            host.At(fireAt, () => completion.TrySetResult());
            return completion.Task;
        }

        public override async Task<T> WaitForExternalEvent<T>(string eventName, CancellationToken cancellationToken = default)
        {
            if (_buffered.GetValueOrDefault(eventName) > 0)
            {
                _buffered[eventName]--;
                return default!;
            }

            var completion = new TaskCompletionSource<object?>();
            if (!_waits.TryGetValue(eventName, out var waits))
            {
                _waits[eventName] = waits = new Queue<TaskCompletionSource<object?>>();
            }

            waits.Enqueue(completion);
            return (T)(await completion.Task)!;
        }

        public void Raise(string name)
        {
            if (_waits.TryGetValue(name, out var waits) && waits.TryDequeue(out var wait))
            {
                wait.SetResult(null);
            }
            else
            {
                _buffered[name] = _buffered.GetValueOrDefault(name) + 1;
            }
        }

        public override void SendEvent(string to, string eventName, object payload)
        {
            Ask();
            host.Raise(to, eventName);
        }

        public override void SetCustomStatus(object? customStatus)
        {
        }

        public override void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true) => Next = (JsonElement)newInput!;

        public override Task<TResult> CallSubOrchestratorAsync<TResult>(TaskName orchestratorName, object? childInput = null, TaskOptions? options = null) =>
            throw new NotSupportedException("The adapter does not use it.");

        public override Guid NewGuid() => throw new NotSupportedException("The adapter does not use it.");

        private void Ask() => host.Asked[instanceId] = host.Asked.GetValueOrDefault(instanceId) + 1;
    }

    private sealed class SimulatedClient(SimulatedDurable host) : DurableTaskClient("simulated")
    {
        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

        public override Task<OrchestrationMetadata?> GetInstancesAsync(string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
            Task.FromResult(host._instances.TryGetValue(instanceId, out var known)
                ? new OrchestrationMetadata(known.Workflow, instanceId)
                {
                    RuntimeStatus = known.Error is not null ? OrchestrationRuntimeStatus.Failed
                        : known.Output is not null ? OrchestrationRuntimeStatus.Completed : OrchestrationRuntimeStatus.Running,
                    SerializedInput = known.Input.GetRawText(),
                    SerializedOutput = known.Output ?? known.Error,
                }
                : null);

        public override Task<string> ScheduleNewOrchestrationInstanceAsync(
            TaskName orchestratorName, object? input = null, StartOrchestrationOptions? options = null, CancellationToken cancellation = default)
        {
            host.Start(orchestratorName.Name, options!.InstanceId!, (JsonElement)input!);
            return Task.FromResult(options.InstanceId!);
        }

        public override Task RaiseEventAsync(string instanceId, string eventName, object? eventPayload = null, CancellationToken cancellation = default)
        {
            host.Raise(instanceId, eventName);
            return Task.CompletedTask;
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
