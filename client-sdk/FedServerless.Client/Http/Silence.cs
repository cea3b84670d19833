namespace FedServerless.Client.Http;

/// <summary>Ends a request on which nothing has been heard for too long, or that its caller has cancelled.</summary>
internal sealed class Silence : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _registration;
    private readonly CancellationToken _stop;
    private readonly TimeSpan _longest;

    public Silence(TimeSpan longest, TimeProvider time, CancellationToken stop)
    {
        _longest = longest;
        _stop = stop;
        _source = new CancellationTokenSource(longest, time);
        _registration = stop.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _source);
    }

    public CancellationToken Token => _source.Token;

    /// <summary>Something moved: the wait begins anew.</summary>
    public void Heard() => _source.CancelAfter(_longest);

    /// <summary>Runs one step of a request; turns what the network does to it into <see cref="TransientException"/>.</summary>
    public async Task<T> GuardAsync<T>(Func<CancellationToken, Task<T>> step)
    {
        try
        {
            var result = await step(Token).ConfigureAwait(false);
            Heard();
            return result;
        }
        catch (OperationCanceledException problem) when (!_stop.IsCancellationRequested)
        {
            throw new TransientException($"nothing was heard for {_longest.TotalSeconds:0} s", null, problem);
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException)
        {
            throw new TransientException(problem.Message, null, problem);
        }
    }

    public void Dispose()
    {
        _registration.Dispose();
        _source.Dispose();
    }
}
