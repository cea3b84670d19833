using Azure.Core;
using Azure.Core.Pipeline;

namespace FedServerless.Azure.Tests;

/// <summary>Counts the requests that match.</summary>
internal sealed class CountingPolicy(Func<Request, bool> matches) : HttpPipelineSynchronousPolicy
{
    private int _count;

    public int Count => _count;

    public override void OnSendingRequest(HttpMessage message)
    {
        if (matches(message.Request))
        {
            Interlocked.Increment(ref _count);
        }
    }
}
