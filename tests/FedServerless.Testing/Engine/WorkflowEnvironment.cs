using System.Text.Json.Serialization.Metadata;
using FedServerless.Local.Engine;
using FedServerless.Local.Engine.Journal;
using FedServerless.Workflows.Engine;

namespace FedServerless.Testing.Engine;

/// <summary>
/// The embedded engine on a clock that skips: a two-day deadline passes in microseconds. Activities are given as lambdas.
/// Time stands still except in <see cref="RunAsync"/> and <see cref="CompleteAsync"/>, which jump from timer to timer while
/// nothing runs, and in <see cref="AdvanceAsync"/>.
/// </summary>
public sealed class WorkflowEnvironment : IEngineFixture
{
    private readonly List<Action<EmbeddedEngineBuilder>> _registrations = [];
    private readonly Func<IJournal> _openJournal;
    private readonly IJsonTypeInfoResolver _json;
    private readonly RecordingLoggerFactory _log = new();
    private readonly Lock _gate = new();
    private EmbeddedEngine? _engine;

    /// <summary>An environment over a journal, by default one in memory that lives as long as the environment.</summary>
    /// <param name="json">The application's JSON context; by default any type goes, by reflection.</param>
    /// <param name="openJournal">Opens the journal, at first use and again for every restart.</param>
    public WorkflowEnvironment(IJsonTypeInfoResolver? json = null, Func<IJournal>? openJournal = null)
    {
        var memory = new InMemoryJournal();
        _json = json ?? new DefaultJsonTypeInfoResolver();
        _openJournal = openJournal ?? (() => memory);
    }

    /// <summary>The clock.</summary>
    public ManualTimeProvider Time { get; } = new();

    /// <inheritdoc/>
    public DateTimeOffset UtcNow => Time.GetUtcNow();

    /// <inheritdoc/>
    public TimeSpan Unit => TimeSpan.FromHours(1);

    /// <inheritdoc/>
    public string? CannotLoseActivities => null;

    /// <inheritdoc/>
    public IWorkflowClient Client => Engine;

    /// <summary>The engine; made and started at first use.</summary>
    public EmbeddedEngine Engine
    {
        get
        {
            lock (_gate)
            {
                return _engine ??= Start();
            }
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> WorkflowLog => _log.Lines(2005);

    /// <summary>Options for the next start.</summary>
    public EmbeddedEngineOptions Options { get; } = new() { ClockCheckInterval = TimeSpan.FromDays(1) };

    /// <summary>Every activity attempt runs its code twice in sequence and keeps the second result: what at-least-once permits.</summary>
    public bool RunActivitiesTwice { get; set; }

    /// <summary>Lines logged under an event id.</summary>
    public IReadOnlyList<string> LogLines(int eventId) => _log.Lines(eventId);

    /// <inheritdoc/>
    public void AddWorkflow<TInput, TOutput>(Workflow<TInput, TOutput> workflow, IWorkflow<TInput, TOutput> code) =>
        _registrations.Add(builder => builder.AddWorkflow(workflow, code));

    /// <summary>Registers a workflow given as a lambda.</summary>
    public void AddWorkflow<TInput, TOutput>(Workflow<TInput, TOutput> workflow, Func<IWorkflowContext, TInput, Task<Turn<TInput, TOutput>>> code) =>
        AddWorkflow(workflow, new LambdaWorkflow<TInput, TOutput>(code));

    /// <inheritdoc/>
    public void AddActivity<TInput, TOutput>(Activity<TInput, TOutput> activity, Func<TInput, CancellationToken, Task<TOutput>> code) =>
        _registrations.Add(builder => builder.AddActivity(activity, _ => new LambdaActivity<TInput, TOutput>(RunActivitiesTwice ? Twice(code) : code)));

    /// <summary>Registers an activity given as a lambda that does not wait.</summary>
    public void AddActivity<TInput, TOutput>(Activity<TInput, TOutput> activity, Func<TInput, TOutput> code) =>
        AddActivity(activity, (input, _) => Task.FromResult(code(input)));

    /// <summary>Starts a workflow; the clock stands, unless the journal refuses and the engine waits to try again.</summary>
    /// <returns>True when this call started it.</returns>
    public async Task<bool> StartAsync<TInput, TOutput>(Workflow<TInput, TOutput> workflow, TInput input, string instanceId = "test")
    {
        var start = Client.StartAsync(workflow, instanceId, input, CancellationToken.None);
        while (!start.IsCompleted)
        {
            if (await Engine.WhenIdleAsync() is { } due && !Engine.IsHealthy)
            {
                Time.AdvanceTo(due);
            }

            await Task.Yield();
        }

        return await start;
    }

    /// <summary>Starts a workflow, skips through its timers until it ends, and returns its output.</summary>
    /// <exception cref="InvalidOperationException">It failed, or waits for what will never come.</exception>
    public async Task<TOutput> RunAsync<TInput, TOutput>(Workflow<TInput, TOutput> workflow, TInput input, string instanceId = "test")
    {
        await StartAsync(workflow, input, instanceId);
        var status = await CompleteAsync(instanceId);
        return status.Phase == WorkflowPhase.Completed
            ? new MessageJson(_json).Read<TOutput>(status.Output!, "output")
            : throw new InvalidOperationException($"{instanceId} failed: {status.Error}");
    }

    /// <inheritdoc/>
    public async Task<WorkflowStatus> CompleteAsync(string instanceId)
    {
        while (true)
        {
            var due = await IdleAsync();
            var status = await Client.GetStatusAsync(instanceId, CancellationToken.None)
                ?? throw new InvalidOperationException($"{instanceId} was never started.");
            if (status.Phase != WorkflowPhase.Running)
            {
                return status;
            }

            Time.AdvanceTo(due ?? throw new InvalidOperationException($"{instanceId} waits for what will never come; status: {status.Status}"));
        }
    }

    /// <summary>Lets everything run that can run now; the clock stands.</summary>
    /// <returns>When the next timer is due.</returns>
    public Task<DateTimeOffset?> RunUntilIdleAsync() => IdleAsync();

    /// <inheritdoc/>
    public async Task AdvanceAsync(TimeSpan by)
    {
        var target = Time.GetUtcNow() + by;
        while (await RunUntilIdleAsync() is { } due && due <= target)
        {
            Time.AdvanceTo(due);
        }

        Time.AdvanceTo(target);
        await RunUntilIdleAsync();
    }

    /// <inheritdoc/>
    public async Task RestartAsync(TimeSpan down = default)
    {
        if (_engine is not null)
        {
            await _engine.DisposeAsync();
            _engine = null;
        }

        Time.Advance(down);
        _engine = Start();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_engine is not null)
        {
            await _engine.DisposeAsync();
        }

        _log.Dispose();
    }

    private static Func<TInput, CancellationToken, Task<TOutput>> Twice<TInput, TOutput>(Func<TInput, CancellationToken, Task<TOutput>> code) =>
        async (input, cancellationToken) =>
        {
            await code(input, cancellationToken);
            return await code(input, cancellationToken);
        };

    private EmbeddedEngine Start()
    {
        var builder = new EmbeddedEngineBuilder(_json);
        foreach (var registration in _registrations)
        {
            registration(builder);
        }

        var engine = builder.Build(_openJournal(), Options, Time, _log);
        engine.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
        return engine;
    }

    private async Task<DateTimeOffset?> IdleAsync()
    {
        var due = await Engine.WhenIdleAsync();
        if (due is null && !Engine.IsHealthy)
        {
            // No timer and in trouble: the engine has ended, and its task is about to say why.
            try
            {
                await Engine.Completion;
            }
            catch (Exception e)
            {
                throw new EngineEndedException(e);
            }
        }

        return due;
    }
}

/// <summary>The engine under test ended on an error: a crash, when the test asked for one.</summary>
public sealed class EngineEndedException(Exception cause) : Exception($"The engine ended: {cause.Message}", cause);
