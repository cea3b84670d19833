using FedServerless.Local.Engine.Journal;
using FedServerless.Workflows.Engine;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FedServerless.Local.Engine;

/// <summary>
/// Workflows in one process over an append-only journal: a laptop, a CI job or a gateway in a factory runs everything with
/// <c>dotnet</c> alone. docs/concepts/engine.md is its contract. Made by <see cref="EmbeddedEngineBuilder"/>.
/// </summary>
public sealed class EmbeddedEngine : IHostedService, IWorkflowClient, IAsyncDisposable
{
    /// <summary>How long disposing waits for activities.</summary>
    internal static readonly TimeSpan DisposePatience = TimeSpan.FromSeconds(10);

    private readonly Registry _registry;
    private readonly IJournal _journal;
    private readonly EngineLoop _loop;
    private Task? _running;
    private bool _isDisposed;

    internal EmbeddedEngine(
        Registry registry,
        IJournal journal,
        EmbeddedEngineOptions options,
        TimeProvider time,
        ILogger logger,
        IServiceProvider? services)
    {
        _registry = registry;
        _journal = journal;
        _loop = new EngineLoop(registry, journal, options, time, logger, services);
    }

    /// <summary>False while the journal cannot be written (requests are then answered 507, rounds wait) and after the engine ended on an error.</summary>
    public bool IsHealthy => _loop.Trouble is null;

    /// <summary>Why not <see cref="IsHealthy"/>, for an operator; null when all is well.</summary>
    public string? Trouble => _loop.Trouble;

    /// <summary>Runs from start to stop; faults when the engine cannot go on, and then the host should stop.</summary>
    public Task Completion => _running ?? Task.CompletedTask;

    /// <summary>Instances restarted from their input since start because their journal did not match the code.</summary>
    public int ReplayRestarts => _loop.ReplayRestarts;

    /// <summary>Opens the journal and takes up everything that was running.</summary>
    /// <exception cref="JournalException">The journal is in use, damaged, of a newer version, or cannot be opened; the message says what to do.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (_running is not null)
        {
            throw new InvalidOperationException("The engine was started before. Build a new one.");
        }

        _loop.Load();
        _running = Task.Run(_loop.RunAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>Cancels running activities, waits for them, and keeps what they finished. What did not finish runs again on the next start.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_running is null)
        {
            return;
        }

        await _loop.StopAsync().WaitAsync(cancellationToken);
        await _running.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The id is malformed, or the workflow is not registered.</exception>
    /// <exception cref="JournalException">The journal cannot be written at the moment.</exception>
    public Task<bool> StartAsync<TInput, TOutput>(
        Workflow<TInput, TOutput> workflow,
        string instanceId,
        TInput input,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        Names.CheckInstanceId(instanceId);
        if (!_registry.Workflows.ContainsKey(workflow.Name))
        {
            throw new ArgumentException($"Workflow '{workflow.Name}' is not registered.", nameof(workflow));
        }

        var message = _registry.Json.Write(input, $"input of {workflow.Name}");
        return AskAsync(answer => _loop.Start(instanceId, workflow.Name, message, answer), cancellationToken);
    }

    /// <inheritdoc/>
    public Task WakeAsync(string instanceId, string eventName, CancellationToken cancellationToken)
    {
        Names.CheckInstanceId(instanceId);
        Names.CheckStep(eventName);

        // A wake is a hint. While the journal cannot be written it would only pile up.
        if (IsHealthy)
        {
            _loop.Post(() => _loop.Wake(instanceId, eventName));
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<WorkflowStatus?> GetStatusAsync(string instanceId, CancellationToken cancellationToken)
    {
        Names.CheckInstanceId(instanceId);
        return Task.FromResult(_loop.Find(instanceId));
    }

    /// <inheritdoc/>
    /// <exception cref="JournalException">The journal cannot be written at the moment.</exception>
    public Task<bool> PurgeAsync(string instanceId, CancellationToken cancellationToken)
    {
        Names.CheckInstanceId(instanceId);
        return AskAsync(answer => _loop.Purge(instanceId, answer), cancellationToken);
    }

    /// <summary>Stops, and closes the journal. An activity that ignores its cancellation is left behind after <see cref="DisposePatience"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        using var patience = new CancellationTokenSource(DisposePatience);
        try
        {
            await StopAsync(patience.Token);
            _loop.Dispose();
        }
        catch (OperationCanceledException)
        {
            // Its result will find the journal closed; the next engine runs it again.
        }

        _journal.Dispose();
    }

    /// <summary>Completes when nothing runs and nothing is queued, with the time of the next timer; for time-skipping tests.</summary>
    internal Task<DateTimeOffset?> WhenIdleAsync() => _loop.WhenIdleAsync();

    private async Task<bool> AskAsync(Action<TaskCompletionSource<bool>> question, CancellationToken cancellationToken)
    {
        if (_loop.Trouble is { } trouble)
        {
            throw new JournalException(JournalFault.Unavailable, trouble);
        }

        var answer = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_running is not null && _loop.Post(() => question(answer)))
        {
            await Task.WhenAny(answer.Task, _running).WaitAsync(cancellationToken);
        }

        return answer.Task.IsCompleted
            ? await answer.Task
            : throw new JournalException(JournalFault.Unavailable, _loop.Trouble ?? "The workflow engine is not running.");
    }
}
