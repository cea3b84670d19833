using FedServerless.Client;
using FedServerless.Local.Hosting;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Testing.Storage;
using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests;

/// <summary>The same federation with its objects in Azurite.</summary>
public sealed class AzuriteTests(AzuriteFixture azurite) : IClassFixture<AzuriteFixture>
{
    private const int ClientCount = 3;

    private static readonly RunSpec Spec = Specs.Small(ClientCount, rounds: 3);

    [Fact]
    public async Task Run_AzuriteRestartsInTheMiddleOfARound_EndsInTheSameBytesAsInMemory()
    {
        var emulator = await azurite.StartedAsync(TestContext.Current.CancellationToken);
        var container = azurite.NewContainer();
        LocalHostOptions OnAzurite(LocalHostOptions options) => options with { AzureConnectionString = emulator.ConnectionString, AzureContainer = container };
        await using var federation = await HostedFederation.StartedAsync(new HostedParts { OnDisk = true, Options = OnAzurite });
        var restarts = 0;

        var model = await TrainAsync(federation, async round =>
        {
            if (round == 2 && Interlocked.Increment(ref restarts) == 1)
            {
                await azurite.RestartAsync(CancellationToken.None);
            }
        });

        Assert.InRange(restarts, 1, int.MaxValue);
        await using var inMemory = await HostedFederation.StartedAsync();
        Assert.Equal(await TrainAsync(inMemory, _ => Task.CompletedTask), model);
    }

    private static async Task<byte[]> TrainAsync(HostedFederation federation, Func<int, Task> inTheMiddle)
    {
        for (var i = 0; i < ClientCount; i++)
        {
            var trainer = new SeededTrainer(10 + i);
            var interrupting = FedTrainer.Create(async (context, cancellationToken) =>
            {
                await inTheMiddle(context.Round);
                return await trainer.FitAsync(context, cancellationToken);
            });
            (await federation.EnrolAsync($"client-{i:D3}", interrupting)).Start();
        }

        await federation.Operator.StartRunAsync("run", Spec);
        Assert.Equal(RunStates.Completed, (await federation.Operator.WaitForEndAsync("run")).State);
        return await Published.BytesAsync(federation.Host.Store, Spec.Model, $"run-r{Spec.Rounds}");
    }
}
