using FedServerless.Cli.Server;

namespace FedServerless.Cli.Hosting;

/// <summary>How to start a local host.</summary>
/// <param name="Data">Its data folder.</param>
/// <param name="Port">Its port on the loopback interface; 0 for a free one.</param>
internal sealed record LocalHostOptions(DataFolder Data, int Port)
{
    /// <summary>The folder with Azurite's pinned packages, to keep all objects in Azurite; null for files. Default null.</summary>
    public string? Azurite { get; init; }

    /// <summary>False where a power cut may cost the data. Default true.</summary>
    public bool FlushToDisk { get; init; } = true;

    /// <summary>The host's command line.</summary>
    public IEnumerable<string> Arguments
    {
        get
        {
            IEnumerable<string> azurite = Azurite is null ? [] : ["--azurite", Azurite];
            IEnumerable<string> flush = FlushToDisk ? [] : ["--no-flush"];
            return ["--data", Data.Path, "--port", $"{Port}", "--until-stdin-ends", .. azurite, .. flush];
        }
    }

    /// <summary>Where a clone pins Azurite.</summary>
    public static string AzuriteIn(string repository) => Path.Combine(repository, "eng", "azurite");
}
