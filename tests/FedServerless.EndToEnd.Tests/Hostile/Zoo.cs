using FedServerless.Client;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests.Hostile;

/// <summary>A run of one round for two honest clients and some that are not. The honest ones wait until they are let go.</summary>
internal sealed class Zoo : IDisposable
{
    /// <summary>Honest clients.</summary>
    public const int Honest = 2;

    private readonly Dictionary<string, HostileDevice> _devices = [];
    private readonly TaskCompletionSource _go = new();

    public HostileDevice this[string id] => _devices[id];

    /// <summary>Enrols everybody and opens the round; it closes when everybody but <c>vanished</c> has committed, or at a quorum.</summary>
    public static async Task<Zoo> OpenAsync(HostedFederation federation, string[] liars, int? quorum = null)
    {
        var zoo = new Zoo();
        foreach (var id in liars)
        {
            zoo._devices[id] = await HostileDevice.EnrolAsync(federation, id);
        }

        for (var i = 0; i < Honest; i++)
        {
            var trainer = new SeededTrainer(10 + i);
            (await federation.EnrolAsync($"honest-{i}", FedTrainer.Create(async (context, cancellationToken) =>
            {
                await zoo._go.Task.WaitAsync(cancellationToken);
                return await trainer.FitAsync(context, cancellationToken);
            }))).Start();
        }

        var everybody = liars.Length + Honest;
        var spec = Specs.Small(everybody, rounds: 1) with
        {
            Round = new RoundSpec { DeadlineSeconds = 3600, Minimum = Honest, Quorum = quorum ?? liars.Count(id => id != "vanished") + Honest },
        };

        // Everybody is seen before the run starts, so that everybody is in its cohort.
        var seen = zoo._devices.Values.Select(device => device.SendAsync(
            HttpMethod.Post, "check-in", System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new CheckInRequest(DeviceApi.Version, "hostile"), WireJson.Default.CheckInRequest)));
        await Task.WhenAll(seen);
        while ((await federation.Operator.GetAsync("clients", WireJson.Default.ListingClientView)).Items.Count(client => client.LastSeen is not null) < everybody)
        {
            await Task.Delay(5);
        }

        await federation.Operator.StartRunAsync("run", spec);
        return zoo;
    }

    /// <summary>One of them takes its lease, makes a sound update, spoils it, uploads it and commits it.</summary>
    public async Task SendAsync(string id, Func<HostileUpdate, HostileUpdate> spoil, long samples = 10)
    {
        var device = this[id];
        var lease = await device.LeaseAsync();
        var update = spoil(await device.EncodeAsync(lease, 0.5f));
        await device.UploadAsync(lease, update);
        var answer = await device.CommitAsync(lease, device.Receipt(lease, update, samples));
        Assert.True(answer.Status == 201, $"{id}: {answer.Status} {answer.Body}");
    }

    /// <summary>The honest ones train now.</summary>
    public void LetHonestOnesGo() => _go.TrySetResult();

    public void Dispose()
    {
        foreach (var device in _devices.Values)
        {
            device.Dispose();
        }
    }
}
