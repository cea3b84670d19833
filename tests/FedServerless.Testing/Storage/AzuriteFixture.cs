using System.Globalization;
using FedServerless.Storage.Azure;
using FedServerless.Storage.Azure.Azurite;
using Xunit.Sdk;

namespace FedServerless.Testing.Storage;

/// <summary>
/// One Azurite for a test assembly: <c>[assembly: AssemblyFixture(typeof(AzuriteFixture))]</c>. It starts on first use, on a free
/// loopback port, with its data in a temporary folder, and is gone with the tests however they end. Where Node.js is missing the
/// tests that need it are skipped and say so.
/// </summary>
public class AzuriteFixture : IAsyncDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("fed-azurite-").FullName;
    private readonly SemaphoreSlim _starting = new(1, 1);
    private AzuriteProcess? _azurite;
    private AzuriteUnavailableException? _unavailable;
    private int _containers;

    /// <summary>Where Azurite's version is pinned.</summary>
    public static string Installation => Path.Combine(FindRepository(), "eng", "azurite");

    /// <summary>The running Azurite, started now if it was not.</summary>
    public async Task<AzuriteProcess> StartedAsync(CancellationToken cancellationToken)
    {
        await _starting.WaitAsync(cancellationToken);
        try
        {
            if (_azurite is null && _unavailable is null)
            {
                _azurite = await AzuriteProcess.StartAsync(Configure(new AzuriteOptions { Installation = Installation, DataFolder = _data }), cancellationToken);
            }
        }
        catch (AzuriteUnavailableException e)
        {
            _unavailable = e;
        }
        finally
        {
            _starting.Release();
        }

        return _azurite ?? throw SkipException.ForSkip(_unavailable!.Message);
    }

    /// <summary>A container name that no other test has.</summary>
    public string NewContainer() => string.Create(CultureInfo.InvariantCulture, $"test-{Interlocked.Increment(ref _containers):D5}");

    /// <summary>A store over a container of its own, connected with the account key.</summary>
    public async Task<AzureBlobStore> NewStoreAsync(CancellationToken cancellationToken, Func<AzureBlobStoreOptions, AzureBlobStoreOptions>? configure = null)
    {
        var azurite = await StartedAsync(cancellationToken);
        var options = new AzureBlobStoreOptions { ConnectionString = azurite.ConnectionString, Container = NewContainer() };
        return await AzureBlobStore.OpenAsync(configure?.Invoke(options) ?? options, cancellationToken);
    }

    /// <summary>Stops Azurite cleanly; its data stays.</summary>
    public async Task StopAsync()
    {
        if (_azurite is not null)
        {
            await _azurite.StopAsync();
        }
    }

    /// <summary>Starts Azurite again on the same port and data.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken) => await (await StartedAsync(cancellationToken)).RestartAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _starting.Dispose();
        Directory.Delete(_data, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>For a fixture that needs more than the blob service over HTTP.</summary>
    protected virtual AzuriteOptions Configure(AzuriteOptions options) => options;

    private static string FindRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "FedServerless.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No FedServerless.sln above '{AppContext.BaseDirectory}'.");
    }
}
