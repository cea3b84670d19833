using FedServerless.Architecture.Tests;
using FedServerless.Client.TorchSharp;

namespace FedServerless.TorchSharp.Tests;

/// <summary>As for the other libraries; here, because only a feed with TorchSharp can build this one.</summary>
public sealed class PublicApiTests
{
    [Fact]
    public void PublicSurface_IsTheOneThatWasReviewed() => PublicSurface.AssertReviewed(typeof(TorchModel).Assembly);
}
