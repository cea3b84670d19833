using FedServerless.Storage;
using FedServerless.Testing.Storage;

namespace FedServerless.LocalHost.Tests.Storage;

/// <summary>Without a fault the decorator is the store it decorates.</summary>
public sealed class FaultInjectingStoreConformance : InMemoryObjectStoreConformance
{
    protected override async Task<IObjectStore> CreateAsync() => new FaultInjectingStore(await base.CreateAsync());
}
