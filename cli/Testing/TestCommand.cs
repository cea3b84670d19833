using System.CommandLine;
using System.Diagnostics;
using FedServerless.Cli.Feed;
using FedServerless.Cli.Processes;

namespace FedServerless.Cli.Testing;

/// <summary><c>fed test</c>: builds what the feed serves, runs every test, says what failed and what was slow.</summary>
internal static class TestCommand
{
    private const int MaxJobs = 64;

    // Some tests wait for processes, disks and Azurite, so two programs at a time end sooner: 84 s against 130 s on two cores.
    private static readonly int DefaultJobs = Math.Min(2, Environment.ProcessorCount);

    public static Command Create(Shell shell)
    {
        var @long = new Option<bool>("--long") { Description = "Run the long tests too." };
        var filter = new Option<string?>("--filter") { Description = "Only tests whose full name contains this; an xunit query if it begins with '/'.", HelpName = "TEXT" };
        var project = new Option<string?>("--project") { Description = "Only projects whose name contains this.", HelpName = "TEXT" };
        var jobs = new Option<int>("--jobs") { Description = "Test programs at a time.", HelpName = "N", DefaultValueFactory = _ => DefaultJobs }.Within(1, MaxJobs);
        var command = new Command("test", "Build everything and run every test.") { @long, filter, project, jobs };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            shell,
            new TestOptions
            {
                Long = parsed.GetValue(@long),
                Filter = parsed.GetValue(filter),
                Project = parsed.GetValue(project),
                Jobs = parsed.GetValue(jobs),
            },
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(Shell shell, TestOptions options, CancellationToken cancellationToken)
    {
        var repository = shell.GetRepository();
        var projects = TestProject.Find(repository).Where(project => project.Matches(options.Project)).ToList();
        if (projects.Count == 0)
        {
            throw new CommandException($"No test project's name contains '{options.Project}'. Look in {Path.Combine(repository, "tests")}.", ExitCodes.Usage);
        }

        var watch = Stopwatch.StartNew();
        var scope = await BuildScope.DecideAsync(repository, new FeedProbe(repository).AskAsync, cancellationToken);
        foreach (var note in scope.Notes)
        {
            shell.Output.WriteLine(note);
        }

        projects.RemoveAll(project => scope.LeftOut.Any(left => left.Name == project.Name));
        if (projects.Count == 0)
        {
            throw new CommandException($"every test project whose name contains '{options.Project}' is left out; the line above says why.");
        }

        await BuildAsync(shell, repository, scope.Target, cancellationToken);
        var results = await RunProgramsAsync(shell, projects, options with { Served = scope.Served }, cancellationToken);
        return new TestSummary([.. results.SelectMany(result => result.Cases)], watch.Elapsed) { Notes = scope.Notes }.Write(shell.Output);
    }

    private static async Task BuildAsync(Shell shell, string repository, string target, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        shell.Output.WriteLine($"building {target} …");
        var start = ChildProcess.Dotnet("build", target, "-c", "Release", "-nologo", "-v:q", "-clp:NoSummary", "-nodeReuse:false");
        start.WorkingDirectory = repository;
        var lines = new List<string>();
        if (await ChildProcess.RunAsync(start, lines.Add, cancellationToken) != 0)
        {
            lines.ForEach(shell.Output.WriteLine);
            throw new CommandException("the build failed; the messages above say why.");
        }

        shell.Output.WriteLine($"built in {watch.Elapsed.TotalSeconds:0.0} s");
    }

    private static async Task<IReadOnlyList<TestProgramResult>> RunProgramsAsync(
        Shell shell, IReadOnlyList<TestProject> projects, TestOptions options, CancellationToken cancellationToken)
    {
        var gate = new Lock();
        var results = new List<TestProgramResult>();
        await Parallel.ForEachAsync(
            projects,
            new ParallelOptions { MaxDegreeOfParallelism = options.Jobs, CancellationToken = cancellationToken },
            async (project, token) =>
            {
                Say($"{project.Name} …");
                var result = await TestProgram.RunAsync(project, options, line => Say($"  {line}"), token);
                lock (gate)
                {
                    results.Add(result);
                }

                Say($"{project.Name}: {TestSummary.Count(result.Cases)} in {result.Elapsed.TotalSeconds:0.0} s");
            });
        return [.. results.OrderBy(result => result.Project.Name, StringComparer.Ordinal)];

        void Say(string line)
        {
            lock (gate)
            {
                shell.Output.WriteLine(line);
            }
        }
    }
}
