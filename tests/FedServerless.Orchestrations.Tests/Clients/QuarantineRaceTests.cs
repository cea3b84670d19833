using System.Buffers.Text;
using System.Security.Cryptography;
using FedServerless.Activities.Clients;
using FedServerless.Activities.State;
using FedServerless.Testing.Storage;

namespace FedServerless.Orchestrations.Tests.Clients;

/// <summary>A quarantine and its end at the same time: the marker of membership follows the document.</summary>
public sealed class QuarantineRaceTests
{
    [Fact]
    public async Task QuarantineAsync_ReleasedBeforeItsMarkerGoes_IsAMemberInTheEnd()
    {
        var disk = new InMemoryObjectStore();
        await EnrolAsync(disk);
        var released = false;
        var store = new FaultInjectingStore(disk)
        {
            Gate = async (write, token) =>
            {
                if (write.Name == StoreNames.Member("default", "alice") && !released)
                {
                    released = true;
                    await new ClientRegistry(disk, TimeProvider.System).ReleaseAsync("alice", token);
                }
            },
        };

        await new ClientRegistry(store, TimeProvider.System).QuarantineAsync("alice", "a test", CancellationToken.None);

        Assert.True(released);
        Assert.Equal(ClientStates.Enrolled, (await new ClientRegistry(disk, TimeProvider.System).FindAsync("alice", CancellationToken.None))!.State);
        Assert.NotNull(await disk.HeadAsync(StoreNames.Member("default", "alice"), CancellationToken.None));
    }

    private static async Task EnrolAsync(InMemoryObjectStore disk)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        var client = new ClientDocument(
            "alice", "default", Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y), "thumbprint", DateTimeOffset.UnixEpoch, ClientStates.Enrolled, 1);
        Assert.True(await new ClientRegistry(disk, TimeProvider.System).WriteAsync(client, null, CancellationToken.None));
    }
}
