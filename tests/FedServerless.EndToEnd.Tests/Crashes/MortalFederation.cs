using FedServerless.Local.Engine.Journal;
using FedServerless.Storage;
using FedServerless.Testing.Engine;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Testing.Storage;

namespace FedServerless.EndToEnd.Tests.Crashes;

/// <summary>
/// A federation whose hosts die at chosen writes. Each death takes store, journal and network at once, as a process takes them;
/// the next host starts over the same disk and journal, while clients and operator never stop trying.
/// </summary>
internal sealed class MortalFederation : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _supervision;
    private Life _life = new();

    public MortalFederation(WriteWatch watch)
    {
        Watch = watch;
        Federation = new HostedFederation(new HostedParts { Store = Mortal, Journal = journal => new MortalJournal(journal, Watch, _life) });
        _supervision = Task.Run(SuperviseAsync);
    }

    public HostedFederation Federation { get; }

    public WriteWatch Watch { get; }

    /// <summary>True when the journal goes with the host that dies.</summary>
    public bool LosesJournal { get; init; }

    /// <summary>Hosts that lived.</summary>
    public int Lives { get; private set; }

    /// <summary>Completes once a host has started for the first time.</summary>
    public Task StartedAsync() => _started.Task;

    /// <summary>Stops a host where it stands.</summary>
    public void Kill() => _life.Die();

    /// <summary>Whether the supervisor ran into something that no death explains; throws it.</summary>
    public Task SupervisionAsync() => _supervision.IsFaulted ? _supervision : Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _supervision.ContinueWith(static _ => { }, TaskScheduler.Default);
        await Federation.DisposeAsync();
        _stop.Dispose();
    }

    private async Task SuperviseAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var life = _life = new Life();
            Lives++;
            try
            {
                await Federation.StartAsync();
                _started.TrySetResult();
            }
            catch (Exception) when (life.IsOver)
            {
                // Died while it started.
            }

            try
            {
                await life.Over.WaitAsync(_stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Federation.CrashAsync();
            if (LosesJournal)
            {
                Federation.Journal = new InMemoryJournal();
            }
        }
    }

    private FaultInjectingStore Mortal(IObjectStore disk)
    {
        var life = _life;
        var store = new FaultInjectingStore(disk, Watch.OnStore) { OnCrash = _ => life.Die() };
        life.Store = store;
        return store;
    }

    /// <summary>One host's life.</summary>
    internal sealed class Life
    {
        private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public FaultInjectingStore? Store { get; set; }

        public Task Over => _over.Task;

        public bool IsOver => _over.Task.IsCompleted || Store is { HasCrashed: true };

        public void Die()
        {
            Store?.Kill();
            _over.TrySetResult();
        }
    }

    /// <summary>Gives every write a commit of its own, so that a death can fall between any two.</summary>
    private sealed class MortalJournal(IJournal inner, WriteWatch watch, Life life) : IJournal
    {
        public void Open() => Alive().Open();

        public IReadOnlyList<JournalInstance> ReadRunning() => Alive().ReadRunning();

        public JournalInstance? Find(string instanceId) => Alive().Find(instanceId);

        public IReadOnlyList<JournalEvent> ReadEvents(string instanceId, int generation) => Alive().ReadEvents(instanceId, generation);

        public void Commit(IReadOnlyList<JournalWrite> batch)
        {
            foreach (var write in batch)
            {
                Alive();
                var fault = watch.OnJournal(write);
                if (fault == StoreFault.Full)
                {
                    throw new JournalException(JournalFault.Full, "No room (injected).");
                }

                if (fault != StoreFault.CrashBefore)
                {
                    inner.Commit([write]);
                }

                if (fault is StoreFault.CrashBefore or StoreFault.CrashAfter)
                {
                    life.Die();
                    throw new Testing.Storage.SimulatedCrashException(null);
                }
            }
        }

        public void Dispose()
        {
        }

        private IJournal Alive() => life.IsOver ? throw new Testing.Storage.SimulatedCrashException(null) : inner;
    }
}
