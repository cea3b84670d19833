using System.Runtime.CompilerServices;
using FedServerless.Storage;

namespace FedServerless.Testing.Storage;

/// <summary>
/// A store between a host and its disk that counts the writes and can hurt any one of them. Wrap the same inner store anew to
/// start the host again after a crash. Thread-safe; the plan is asked once for each write, in the order of their numbers.
/// </summary>
/// <param name="inner">What lasts.</param>
/// <param name="plan">What to do to each write; null lets all through.</param>
public sealed class FaultInjectingStore(IObjectStore inner, Func<StoreWrite, StoreFault>? plan = null) : IObjectStore
{
    private readonly List<StoreWrite> _writes = [];
    private readonly Lock _gate = new();
    private volatile bool _crashed;

    /// <summary>Awaited before each write, after the plan was asked: holds a write back until a test lets it go. Default: none.</summary>
    public Func<StoreWrite, CancellationToken, Task>? Gate { get; init; }

    /// <summary>Called once, when the plan's crash happens; for a test that stops the rest of the host with it.</summary>
    public Action<StoreWrite>? OnCrash { get; init; }

    /// <summary>Whether the simulated process is dead.</summary>
    public bool HasCrashed => _crashed;

    /// <summary>The writes so far, in order, hurt ones included.</summary>
    public IReadOnlyList<StoreWrite> Writes
    {
        get
        {
            lock (_gate)
            {
                return [.. _writes];
            }
        }
    }

    /// <summary>How many writes there were.</summary>
    public int WriteCount
    {
        get
        {
            lock (_gate)
            {
                return _writes.Count;
            }
        }
    }

    /// <summary>A store that hurts only the write of this number.</summary>
    public static FaultInjectingStore At(IObjectStore inner, int number, StoreFault fault) =>
        new(inner, write => write.Number == number ? fault : StoreFault.None);

    /// <summary>A store that sends every write twice.</summary>
    public static FaultInjectingStore AlwaysTwice(IObjectStore inner) => new(inner, _ => StoreFault.Twice);

    /// <summary>The simulated process dies of something else: every later call throws.</summary>
    public void Kill() => _crashed = true;

    public Task<ObjectFacts?> HeadAsync(string name, CancellationToken cancellationToken) =>
        Alive().HeadAsync(name, cancellationToken);

    public Task<ObjectFacts?> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        Alive().ReadAsync(name, offset, destination, cancellationToken);

    public Task<ObjectContent?> OpenAsync(string name, long offset, CancellationToken cancellationToken) =>
        Alive().OpenAsync(name, offset, cancellationToken);

    public async IAsyncEnumerable<ObjectFacts> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var facts in Alive().ListAsync(prefix, cancellationToken))
        {
            Alive();
            yield return facts;
        }
    }

    public async Task<PutResult> PutAsync(string name, Stream content, long length, PutCondition condition, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        var (write, fault) = Observe(StoreWriteKind.Put, name);
        return await HurtAsync(write, fault, PutOnceAsync, cancellationToken);

        async Task<PutResult> PutOnceAsync()
        {
            if (fault != StoreFault.Twice)
            {
                return await inner.PutAsync(name, content, length, condition, cancellationToken);
            }

            var bytes = new MemoryStream();
            await content.CopyToAsync(bytes, cancellationToken);
            bytes.Position = 0;
            var first = await inner.PutAsync(name, bytes, length, condition, cancellationToken);
            bytes.Position = 0;
            var second = await inner.PutAsync(name, bytes, length, condition, cancellationToken);
            return second.Written ? second : first;
        }
    }

    public async Task<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        var (write, fault) = Observe(StoreWriteKind.Delete, name);
        return await HurtAsync(write, fault, DeleteOnceAsync, cancellationToken);

        async Task<bool> DeleteOnceAsync()
        {
            var was = await inner.DeleteAsync(name, cancellationToken);
            return fault == StoreFault.Twice ? await inner.DeleteAsync(name, cancellationToken) || was : was;
        }
    }

    public Task<PresignedRequest> PresignGetAsync(string name, TimeSpan validFor, CancellationToken cancellationToken) =>
        Alive().PresignGetAsync(name, validFor, cancellationToken);

    public Task<PresignedRequest> PresignCreateAsync(string name, long length, TimeSpan validFor, CancellationToken cancellationToken) =>
        Alive().PresignCreateAsync(name, length, validFor, cancellationToken);

    private IObjectStore Alive() => _crashed ? throw new SimulatedCrashException(null) : inner;

    private (StoreWrite Write, StoreFault Fault) Observe(StoreWriteKind kind, string name)
    {
        lock (_gate)
        {
            Alive();
            var write = new StoreWrite(_writes.Count + 1, kind, name);
            _writes.Add(write);
            var fault = plan?.Invoke(write) ?? StoreFault.None;

            // Dead at once: no concurrent write may start after this one.
            _crashed = fault is StoreFault.CrashBefore or StoreFault.CrashAfter;
            return (write, fault);
        }
    }

    private async Task<T> HurtAsync<T>(StoreWrite write, StoreFault fault, Func<Task<T>> act, CancellationToken cancellationToken)
    {
        if (Gate is not null)
        {
            await Gate(write, cancellationToken);
        }

        switch (fault)
        {
            case StoreFault.CrashBefore:
                throw Crash(write);
            case StoreFault.FailBefore:
                throw new IOException($"Injected failure before write {write.Number}, {write.Kind} '{write.Name}'.");
            case StoreFault.Full:
                throw new StoreFullException(write.Name, new IOException("Injected: no space left on device."));
            case StoreFault.CrashAfter:
                try
                {
                    await act();
                }
                catch (Exception)
                {
                    // A write that failed on its way (its sender hung up, say) is no less the last one.
                }

                throw Crash(write);
        }

        var result = await act();
        return fault switch
        {
            StoreFault.FailAfter => throw new IOException($"Injected failure after write {write.Number}, {write.Kind} '{write.Name}'."),
            _ => result,
        };
    }

    private SimulatedCrashException Crash(StoreWrite write)
    {
        OnCrash?.Invoke(write);
        return new SimulatedCrashException(write);
    }
}
