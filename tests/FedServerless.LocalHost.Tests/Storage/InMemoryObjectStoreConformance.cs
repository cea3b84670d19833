using FedServerless.Storage;
using FedServerless.Storage.Presigned;
using FedServerless.Testing.Storage;

namespace FedServerless.LocalHost.Tests.Storage;

public class InMemoryObjectStoreConformance : ObjectStoreConformanceTests
{
    private PresignedHost? _host;

    private protected static byte[] Key { get; } = new byte[PresignedUrlSigner.MinKeyLength];

    protected override Task<IObjectStore> CreateAsync() =>
        Task.FromResult<IObjectStore>(new InMemoryObjectStore(new PresignedUrlSigner(Key, TimeProvider.System)));

    protected override async Task<Uri> OriginAsync() =>
        (_host ??= await PresignedHost.StartAsync(Store, new PresignedUrlSigner(Key, TimeProvider.System))).Origin;

    protected override Task<PresignedRequest> PresignExpiredGetAsync(string name)
    {
        var signer = new PresignedUrlSigner(Key, new StoppedClock(DateTimeOffset.UtcNow.AddHours(-2)));
        return Task.FromResult(signer.SignGet(name, TimeSpan.FromHours(1)));
    }

    protected override async ValueTask DisposeStoreAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }
    }
}
