using System.Runtime.CompilerServices;
using FedServerless.Storage;

namespace FedServerless.Orchestrations.Tests.Privacy;

/// <summary>
/// A store in which every call waits for its turn, and a seed says whose it is: many hosts on one thread, in one of all orders that many machines could have, the
/// same for the same seed.
/// </summary>
internal sealed class TurnStore(IObjectStore inner, int seed) : IObjectStore
{
    private readonly List<TaskCompletionSource> _waiting = [];
    private readonly Random _random = new(seed);

    /// <summary>Gives turns until nobody waits for one.</summary>
    public void Drain()
    {
        while (_waiting.Count > 0)
        {
            var next = _waiting[_random.Next(_waiting.Count)];
            _waiting.Remove(next);

            // What follows it runs here and now, up to its next call.
            next.SetResult();
        }
    }

    public async Task<ObjectFacts?> HeadAsync(string name, CancellationToken cancellationToken)
    {
        await TurnAsync();
        return await inner.HeadAsync(name, cancellationToken);
    }

    public async Task<ObjectFacts?> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        await TurnAsync();
        return await inner.ReadAsync(name, offset, destination, cancellationToken);
    }

    public async Task<ObjectContent?> OpenAsync(string name, long offset, CancellationToken cancellationToken)
    {
        await TurnAsync();
        return await inner.OpenAsync(name, offset, cancellationToken);
    }

    public async Task<PutResult> PutAsync(string name, Stream content, long length, PutCondition condition, CancellationToken cancellationToken)
    {
        await TurnAsync();
        return await inner.PutAsync(name, content, length, condition, cancellationToken);
    }

    // Every object of a listing is a turn of its own: others write while it runs.
    public async IAsyncEnumerable<ObjectFacts> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await TurnAsync();
        await foreach (var facts in inner.ListAsync(prefix, cancellationToken))
        {
            yield return facts;
            await TurnAsync();
        }
    }

    public async Task<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        await TurnAsync();
        return await inner.DeleteAsync(name, cancellationToken);
    }

    public Task<PresignedRequest> PresignGetAsync(string name, TimeSpan validFor, CancellationToken cancellationToken) => inner.PresignGetAsync(name, validFor, cancellationToken);

    public Task<PresignedRequest> PresignCreateAsync(string name, long length, TimeSpan validFor, CancellationToken cancellationToken) =>
        inner.PresignCreateAsync(name, length, validFor, cancellationToken);

    private Task TurnAsync()
    {
        var turn = new TaskCompletionSource();
        _waiting.Add(turn);
        return turn.Task;
    }
}
