using FedServerless.Testing.Engine;

namespace FedServerless.Orchestrations.Tests.Engine;

/// <summary>
/// Stands in for FedServerless.Functions.Tests where the configured feed lacks the packages it needs: each case that Durable is held
/// to is reported as skipped, by name. Where the feed has them, <c>fed test</c> runs the real thing and leaves this out.
/// </summary>
[Trait("StandsInFor", "functions")]
public sealed class DurableEngineStandIn : EngineConformanceTests
{
    protected override ValueTask<IEngineFixture> CreateAsync()
    {
        Assert.Skip("Needs Microsoft.DurableTask and Microsoft.Azure.Functions.Worker, which the configured package feed does not have.");
        throw new InvalidOperationException("Skipped.");
    }
}
