using FedServerless.Cli;
using FedServerless.Cli.Processes;

namespace FedServerless.Bench;

/// <summary>The edge sample as it would go onto a device.</summary>
/// <param name="Program">The file to start.</param>
/// <param name="Files">Files beside it, itself included.</param>
/// <param name="Bytes">Their bytes together.</param>
internal sealed record PublishedClient(string Program, int Files, long Bytes)
{
    private const string Sample = "EdgeApp";

    // No symbols, and documentation is not counted: a device needs neither.
    private static readonly string[] Common = ["-c", "Release", "-v", "q", "--self-contained", "-p:DebugType=none"];

    private static readonly Dictionary<string, string[]> Settings = new(StringComparer.Ordinal)
    {
        ["self-contained"] = [],
        ["trimmed"] = ["-p:PublishTrimmed=true"],
        ["trimmed-r2r"] = ["-p:PublishTrimmed=true", "-p:PublishReadyToRun=true"],
        ["trimmed-small"] =
        [
            "-p:PublishTrimmed=true", "-p:ConcurrentGarbageCollection=false", "-p:TieredPGO=false", "-p:UseSystemResourceKeys=true", "-p:EventSourceSupport=false",
            "-p:DebuggerSupport=false", "-p:StackTraceSupport=false",
        ],
        ["trimmed-single-file"] = ["-p:PublishTrimmed=true", "-p:PublishSingleFile=true", "-p:EnableCompressionInSingleFile=true", "-p:IncludeNativeLibrariesForSelfExtract=false"],
    };

    /// <summary>The ways to publish it.</summary>
    public static IReadOnlyList<string> Variants { get; } = [.. Settings.Keys];

    /// <summary>Publishes it, unless an earlier call has; with the ordinary SDK, into a folder that no build uses.</summary>
    /// <exception cref="FormatException">There is no such way.</exception>
    /// <exception cref="CommandException">It failed; the message has what the SDK said.</exception>
    public static async Task<PublishedClient> PublishAsync(string variant, string folder)
    {
        if (!Settings.TryGetValue(variant, out var settings))
        {
            throw new FormatException($"'{variant}' is no way to publish the client; expected {string.Join(", ", Variants)}.");
        }

        var output = Path.Combine(Path.GetFullPath(folder), variant, "published");
        var program = Path.Combine(output, OperatingSystem.IsWindows() ? $"{Sample}.exe" : Sample);
        if (!File.Exists(program))
        {
            var lines = new List<string>();
            var project = Path.Combine(RoundFederation.ShellOfBench().GetRepository(), "samples", Sample);
            string[] arguments = ["publish", project, .. Common, "--use-current-runtime", .. settings, "--artifacts-path", Path.Combine(folder, variant, "build"), "-o", output];
            if (await ChildProcess.RunAsync(ChildProcess.Dotnet(arguments), lines.Add, CancellationToken.None) != 0)
            {
                throw new CommandException($"The client cannot be published as {variant}:{Environment.NewLine}{string.Join(Environment.NewLine, lines.TakeLast(20))}");
            }
        }

        var files = Directory.GetFiles(output, "*", SearchOption.AllDirectories).Where(file => Path.GetExtension(file) is not (".pdb" or ".xml")).ToArray();
        return new PublishedClient(program, files.Length, files.Sum(file => new FileInfo(file).Length));
    }
}
