using FedServerless.Storage;
using FedServerless.Storage.Files;
using FedServerless.Storage.Presigned;

namespace FedServerless.LocalHost.Tests.Storage;

public sealed class FileObjectStoreConformance : InMemoryObjectStoreConformance
{
    private readonly TemporaryFolder _folder = new();

    protected override int LongListing => 1_001; // There are no pages here; files take their time.

    protected override Task<IObjectStore> CreateAsync() => Task.FromResult<IObjectStore>(FileObjectStore.Open(new FileObjectStoreOptions
    {
        Root = _folder.Path,
        Signer = new PresignedUrlSigner(Key, TimeProvider.System),
    }));

    protected override async ValueTask DisposeStoreAsync()
    {
        await base.DisposeStoreAsync();
        _folder.Dispose();
    }
}
