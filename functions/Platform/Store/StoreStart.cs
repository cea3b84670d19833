using FedServerless.Activities.Metering;
using FedServerless.Functions.Platform.Settings;
using FedServerless.Storage;
using FedServerless.Storage.Azure;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FedServerless.Functions.Platform.Store;

/// <summary>
/// Asks the store once when the host starts, so that the log says at once what is wrong with it, and makes the container in Azurite. A
/// store that cannot be used does not end the host: it answers 503 and says why, and serves as soon as it can.
/// </summary>
internal sealed partial class StoreStart(IObjectStore store, FedSettings settings, ILogger<StoreStart> logger) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            // What is registered counts the requests of the store that it is over.
            var inner = store is MeteredStore metered ? metered.Inner : store;
            if (settings.StorageConnection is not null && inner is AzureBlobStore blobs)
            {
                await blobs.CreateContainerAsync(stoppingToken);
            }

            await store.HeadAsync("health", stoppingToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            LogUnusable(logger, StoreFaults.Explain(exception) ?? exception.Message, exception);
        }
    }

    [LoggerMessage(5101, LogLevel.Critical, "The store cannot be used: {Reason}")]
    private static partial void LogUnusable(ILogger logger, string reason, Exception exception);
}
