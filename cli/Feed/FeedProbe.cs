using FedServerless.Cli.Processes;

namespace FedServerless.Cli.Feed;

/// <summary>Asks the configured feed, with the ordinary client, for the packages of optional parts.</summary>
internal sealed class FeedProbe(string repository)
{
    // NuGet gives up by itself after several tries of 100 s each; nobody waits that long for a part that is optional.
    private static readonly TimeSpan DefaultPatience = TimeSpan.FromMinutes(3);

    // The build takes these from the environment, beside what is configured.
    private static readonly string[] SourceVariables = ["RestoreSources", "RestoreAdditionalProjectSources"];

    /// <summary>How long a feed gets to answer. Default 3 minutes.</summary>
    public TimeSpan Patience { get; init; } = DefaultPatience;

    /// <summary>The project whose restore asks for a part's packages.</summary>
    public static string ProjectOf(string part) => $"eng/probe/{part}.csproj";

    /// <summary>Asks, unless the answer is known to be no.</summary>
    public async Task<FeedAnswer> AskAsync(string part, CancellationToken cancellationToken)
    {
        if (!File.Exists(Path.Combine(repository, ProjectOf(part))))
        {
            throw new CommandException($"A project needs the part '{part}', but {ProjectOf(part)} does not exist.");
        }

        var memory = new FeedMemory(repository, await ReadSourcesAsync(cancellationToken));
        if (memory.Recall(part) is { } missing)
        {
            return new FeedAnswer(FeedVerdict.NotFound, missing);
        }

        var answer = await RestoreAsync(part, cancellationToken);
        if (answer.Verdict == FeedVerdict.NotFound)
        {
            memory.Remember(part, answer.Why);
        }

        return answer;
    }

    private async Task<FeedAnswer> RestoreAsync(string part, CancellationToken cancellationToken)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(Patience);
        var lines = new List<string>();
        try
        {
            var exitCode = await RunAsync(lines.Add, limited.Token, "restore", ProjectOf(part), "-nologo", "-v:q", "-nodeReuse:false");
            return RestoreOutput.Judge(exitCode, lines);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new FeedAnswer(FeedVerdict.Unreachable, $"no answer within {Patience.TotalSeconds:0} s");
        }
    }

    private async Task<string> ReadSourcesAsync(CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        await RunAsync(lines.Add, cancellationToken, "nuget", "list", "source", "--format", "short");
        return string.Join('\n', [.. lines, .. SourceVariables.Select(Environment.GetEnvironmentVariable)]);
    }

    private Task<int> RunAsync(Action<string> onLine, CancellationToken cancellationToken, params string[] arguments)
    {
        var start = ChildProcess.Dotnet(arguments);
        start.WorkingDirectory = repository;
        // Codes are the same in every language, names of packages are found by the words around them.
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        return ChildProcess.RunAsync(start, onLine, cancellationToken);
    }
}
