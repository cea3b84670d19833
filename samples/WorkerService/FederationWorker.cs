#region worker
using FedServerless.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

/// <summary>Takes part in the federation for as long as the host runs.</summary>
public sealed partial class FederationWorker(
    IServiceProvider services, IConfiguration configuration, IHostApplicationLifetime lifetime, ILogger<FederationWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            var trainer = services.GetRequiredService<IFedTrainer>();
            using var client = await EnrolAsync(stoppingToken);
            Started(client.ClientId, client.Server);
            await client.RunAsync(trainer, stoppingToken);
        }
        catch (Exception problem) when (problem is FedClientException or IOException or InvalidDataException)
        {
            // No samples, or the server does not know this device any more: only a person can help, so the service ends and says why.
            Refused(problem.Message);
            Environment.ExitCode = 1;
            lifetime.StopApplication();
        }
    }

    // Once it has succeeded, the same call opens the state folder and sends nothing; until then the server may be out of reach at boot.
    private async Task<FedClient> EnrolAsync(CancellationToken cancellationToken)
    {
        var code = configuration["Federation:Code"] ?? throw new FedClientException("The setting Federation:Code is missing: make a code with ./fed enrol NAME.");
        var options = new FedClientOptions
        {
            StateFolder = configuration["Federation:State"] ?? "worker-state",
            OnEvent = Happened,
        };
        while (true)
        {
            try
            {
                return await FedClient.EnrolAsync(code, options, cancellationToken);
            }
            catch (FedClientException away) when (away.IsTransient)
            {
                Away(away.Message, Pause);
                await Task.Delay(Pause, cancellationToken);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Information, "{Client} takes part in the rounds of {Server}.")]
    private partial void Started(string client, Uri server);

    [LoggerMessage(2, LogLevel.Information, "{Happened}")]
    private partial void Happened(FedClientEvent happened);

    [LoggerMessage(3, LogLevel.Warning, "{Reason} The next try is in {Pause}.")]
    private partial void Away(string reason, TimeSpan pause);

    [LoggerMessage(4, LogLevel.Critical, "{Reason}")]
    private partial void Refused(string reason);
}
#endregion
