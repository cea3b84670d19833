using FedServerless.Testing.Engine;

namespace FedServerless.Functions.Tests.Engine;

public sealed class DurableEngineConformanceTests : EngineConformanceTests
{
    protected override ValueTask<IEngineFixture> CreateAsync() => ValueTask.FromResult<IEngineFixture>(new DurableFixture());
}
