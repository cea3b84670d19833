using Azure.Core;
using Azure.Core.Pipeline;

namespace FedServerless.Azure.Tests;

/// <summary>Lets requests through and loses the first answer to one that matches, as a network does.</summary>
internal sealed class DropReplyPolicy(Func<Request, bool> matches) : HttpPipelinePolicy
{
    private int _dropped;

    public int Seen { get; private set; }

    public bool HasDropped => _dropped > 0;

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        await ProcessNextAsync(message, pipeline);
        if (matches(message.Request))
        {
            Seen++;
            if (Interlocked.Increment(ref _dropped) == 1)
            {
                throw new IOException("The answer was lost on the way.");
            }
        }
    }

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) => throw new NotSupportedException();
}
