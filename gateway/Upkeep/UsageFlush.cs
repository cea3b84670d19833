using FedServerless.Activities.Metering;
using Microsoft.Extensions.Hosting;

namespace FedServerless.Gateway.Upkeep;

/// <summary>Writes what is counted and not written when a host is told to stop; one that is killed loses it.</summary>
internal sealed class UsageFlush(UsageBook usage) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            await usage.FlushAllAsync(cancellationToken);
        }
        catch (Exception)
        {
            // A store that cannot be reached must not keep a host from stopping; the counts are an estimate.
        }
    }
}
