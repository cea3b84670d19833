using FedServerless.Gateway.Limits;
using FedServerless.Gateway.Upkeep;

namespace FedServerless.Local.Hosting;

/// <summary>How the embedded host is set up.</summary>
public sealed record LocalHostOptions
{
    /// <summary>Where it listens unless told otherwise.</summary>
    public const string DefaultUrl = "http://127.0.0.1:7270";

    /// <summary>Folder of the journal, the secrets and, unless they are kept in an account or in Azurite, the objects. One host per folder.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Address to listen on; port 0 takes a free one. Default <see cref="DefaultUrl"/>.</summary>
    public string Url { get; init; } = DefaultUrl;

    /// <summary>The address that devices use where a proxy stands in between; null where there is none. Default null.</summary>
    public Uri? PublicUrl { get; init; }

    /// <summary>Connection string of the storage account (Azurite) that holds the objects; null for files. Default null.</summary>
    public string? AzureConnectionString { get; init; }

    /// <summary>
    /// Folder of Azurite's pinned packages (<c>eng/azurite</c>): the host starts Azurite on a free port, keeps the objects there and
    /// stops it when it stops itself. Null for none. Default null.
    /// </summary>
    public string? AzuriteInstallation { get; init; }

    /// <summary>Container of the objects in that account. Default <c>fed</c>.</summary>
    public string AzureContainer { get; init; } = "fed";

    /// <summary>Longest time a check-in is held, 0 to 60 s. Default 60 s.</summary>
    public TimeSpan HoldCheckInsFor { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Whether a write waits until the disk has it. False only where a power cut may cost the data: demos and tests. Default true.</summary>
    public bool FlushToDisk { get; init; } = true;

    /// <summary>Stop when standard input ends; for a program that starts a host. Default false.</summary>
    public bool UntilInputEnds { get; init; }

    /// <summary>How the host looks after runs. By default ended instances are kept for a day.</summary>
    public UpkeepOptions Upkeep { get; init; } = new() { KeepInstancesFor = TimeSpan.FromDays(1) };

    /// <summary>
    /// How much one sender may ask. By default a device and an operator may ask far more than on Azure: rounds take milliseconds here.
    /// </summary>
    public RequestLimits Limits { get; init; } = new() { Device = new(500, 5000), Operator = new(500, 5000) };

    /// <summary>How often the watchdog looks after the runs. Default a minute.</summary>
    public TimeSpan WatchEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How often ended instances are purged, and orphaned uploads and dead codes removed. Default an hour.</summary>
    public TimeSpan SweepEvery { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Make a new master secret and end, without serving. Default false.</summary>
    public bool RotateSecrets { get; init; }

    /// <summary>Reads the command line; the problems say all that is wrong with it.</summary>
    public static (LocalHostOptions? Options, IReadOnlyList<string> Problems) Parse(IReadOnlyList<string> args)
    {
        var options = new LocalHostOptions { DataFolder = "" };
        var problems = new List<string>();
        for (var i = 0; i < args.Count; i++)
        {
            var value = i + 1 < args.Count ? args[i + 1] : null;
            var (read, takesValue) = options.With(args[i], value, problems);
            options = read;
            i += takesValue ? 1 : 0;
        }

        if (options.DataFolder.Length == 0)
        {
            problems.Add("--data FOLDER is missing: the folder that keeps everything.");
        }

        if (options.AzureConnectionString is not null && options.AzuriteInstallation is not null)
        {
            problems.Add("--azure and --azurite exclude each other: the host connects to an account or starts Azurite.");
        }

        return problems.Count == 0 ? (options, problems) : (null, problems);
    }

    private (LocalHostOptions Options, bool TakesValue) With(string name, string? value, List<string> problems)
    {
        if (name == "--no-flush")
        {
            return (this with { FlushToDisk = false }, false);
        }

        if (name == "--until-stdin-ends")
        {
            return (this with { UntilInputEnds = true }, false);
        }

        if (name == "--rotate-secrets")
        {
            return (this with { RotateSecrets = true }, false);
        }

        if (name is not ("--data" or "--url" or "--port" or "--public-url" or "--azure" or "--azurite" or "--container"))
        {
            problems.Add($"'{name}' is unknown; expected --data, --url, --port, --public-url, --azure, --azurite, --container, --no-flush, --rotate-secrets or --until-stdin-ends.");
            return (this, false);
        }

        if (value is null)
        {
            problems.Add($"{name} needs a value.");
            return (this, false);
        }

        var options = name switch
        {
            "--data" => this with { DataFolder = value },
            "--url" when IsUrl(value) => this with { Url = value },
            "--port" when ushort.TryParse(value, out var port) => this with { Url = $"http://127.0.0.1:{port}" },
            "--public-url" when IsUrl(value) => this with { PublicUrl = new Uri(value) },
            "--azure" => this with { AzureConnectionString = value },
            "--azurite" => this with { AzuriteInstallation = value },
            "--container" => this with { AzureContainer = value },
            _ => null,
        };
        if (options is null)
        {
            problems.Add($"{name} is '{value}'; expected {(name == "--port" ? "a port from 0 (any free one) to 65535" : "an http or https address")}.");
        }

        return (options ?? this, true);
    }

    private static bool IsUrl(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https";
}
