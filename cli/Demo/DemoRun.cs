using System.Diagnostics;
using System.Text.Json;
using FedServerless.Cli.Hosting;
using FedServerless.Cli.Output;
using FedServerless.Cli.Privacy.Accounts;
using FedServerless.Cli.Server;
using FedServerless.Client;
using FedServerless.Client.Training;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Cli.Demo;

/// <summary>The demo from beginning to end: a host, clients, a run, a result.</summary>
internal sealed class DemoRun(Shell shell, DemoOptions options)
{
    // Part of version names, so it is the same for every demo.
    private const string RunName = "demo";

    private readonly Stopwatch _watch = Stopwatch.StartNew();

    private PrivacyReport? _privacy;

    public async Task<int> ExecuteAsync(CancellationToken cancellationToken)
    {
        var (training, heldOut) = Digits.Read(shell.GetRepository()).Split(Digits.HeldOutShare, options.Seed);
        var parts = Deal(training);
        using var folder = DemoFolder.Open(shell, options.Data);
        shell.Output.WriteLine(
            $"{training.Count} digits for {Count(options.Clients, "client")} ({options.Partition}, {parts.Min(part => part.Count)} to {parts.Max(part => part.Count)} each), {heldOut.Count} held out; {options.Model}, {Count(options.Rounds, "round")}, seed {options.Seed}");
        await using var host = await LocalHost.StartAsync(shell, ToHostOptions(folder), onLine: null, cancellationToken);
        using var server = new OperatorClient(host.Address);
        shell.Output.WriteLine($"a local host on {(options.Azurite ? "Azurite" : "files")} answers at {host.Address.Url.AbsoluteUri.TrimEnd('/')}, after {_watch.Elapsed.TotalSeconds:0.0} s");
        var result = await TrainAsync(server, host, folder, parts, heldOut, cancellationToken);
        Write(result, folder);
        return ExitCodes.Success;
    }

    private static string Count(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";

    // What is thrown away afterwards need not survive a power cut.
    private LocalHostOptions ToHostOptions(DemoFolder folder) => new(new DataFolder(folder.HostPath), Port: 0)
    {
        Azurite = options.Azurite ? LocalHostOptions.AzuriteIn(shell.GetRepository()) : null,
        FlushToDisk = folder.IsKept,
    };

    private IReadOnlyList<LabelledSamples> Deal(LabelledSamples training)
    {
        try
        {
            return [.. options.Partition.Deal(training, options.Clients, options.Seed).Select(indices => training.Subset(indices))];
        }
        catch (ArgumentException exception)
        {
            throw new CommandException($"{training.Count} digits cannot be dealt out to {options.Clients} clients: {exception.Message}", ExitCodes.Usage);
        }
    }

    private async Task<DemoResult> TrainAsync(
        OperatorClient server, LocalHost host, DemoFolder folder, IReadOnlyList<LabelledSamples> parts, LabelledSamples heldOut,
        CancellationToken cancellationToken)
    {
        await CheckUnusedAsync(server, cancellationToken);
        var spec = options.ToSpec();
        if (options.ToBudget() is { } budget)
        {
            await server.SetBudgetAsync(spec.Population, budget, cancellationToken);
        }

        await server.CreateRunAsync(new CreateRunRequest(RunName, spec), cancellationToken);

        using var clients = await DemoClients.EnrolAsync(server, folder.ClientsPath, [.. parts.Select(samples => LocalTrainer.BuiltIn(samples))], shell.WriteErrorLine, cancellationToken);
        shell.Output.WriteLine($"{Count(parts.Count, "client")} enrolled, after {_watch.Elapsed.TotalSeconds:0.0} s");
        shell.Output.WriteLine();
        var setup = _watch.Elapsed;
        await server.SteerRunAsync(RunName, "start", null, cancellationToken);

        var rounds = new DemoRounds(shell, server, options, heldOut);
        var run = await FollowAsync(rounds, clients, host, cancellationToken);
        var seconds = (_watch.Elapsed - setup).TotalSeconds;
        if (run.State != RunStates.Completed || rounds.Last is not { Accuracy: { } accuracy } last)
        {
            throw new CommandException($"The run ended {run.State}: {run.Reason}.");
        }

        var version = await server.GetVersionAsync(Digits.ModelName, null, cancellationToken);
        _privacy = options.Privacy is null ? null : await server.GetRunPrivacyAsync(RunName, classic: false, cancellationToken);
        return new DemoResult(
            accuracy, last.Loss, run.PublishedRounds, clients.BytesUp, clients.BytesDown, Math.Round(seconds, 3),
            version.Version, $"{version.Weights.Digest}", options.Model, $"{options.Partition}", options.Clients, options.Seed,
            options.Azurite ? "azurite" : "files", Math.Round(setup.TotalSeconds, 3), Epsilon(PrivacyAdversary.ModelHolder), Epsilon(PrivacyAdversary.CohortObserver));

        double? Epsilon(PrivacyAdversary adversary) =>
            _privacy?.Prices.FirstOrDefault(price => price.Adversary == adversary) is { } price ? price.TightUpper ?? price.Epsilon : null;
    }

    // A demo that was interrupted cannot go on: its clients know the host by a port that was free then.
    private async Task CheckUnusedAsync(OperatorClient server, CancellationToken cancellationToken)
    {
        var runs = await server.ListRunsAsync(cancellationToken);
        if (runs.Items.FirstOrDefault(run => run.Id == RunName) is { } held)
        {
            var how = RunStates.IsFinal(held.State) ? "has ended already" : "was interrupted";
            throw new CommandException($"{options.Data} holds a demo that {how}. Choose another folder, or leave out --data.");
        }
    }

    /// <summary>Follows the run while the clients take part; whatever ends first of run, clients and host ends the others.</summary>
    private static async Task<RunView> FollowAsync(DemoRounds rounds, DemoClients clients, LocalHost host, CancellationToken cancellationToken)
    {
        using var together = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var training = clients.RunAsync(together.Token);
        var following = rounds.FollowAsync(RunName, together.Token);
        var first = await Task.WhenAny(following, training, host.Ended);
        await together.CancelAsync();
        await Task.WhenAny(training, Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken));
        if (first == host.Ended)
        {
            throw host.Failed($"The local host ended by itself with code {await host.Ended}.");
        }

        try
        {
            await training;
        }
        catch (FedClientException exception)
        {
            throw new CommandException($"A client cannot go on: {exception.Message}");
        }

        return await following;
    }

    private void Write(DemoResult result, DemoFolder folder)
    {
        shell.Output.WriteLine();
        shell.Output.WriteLine(
            $"accuracy {Columns.Number(result.Accuracy, 4)}, loss {Columns.Number(result.Loss, 4)} after {Count(result.Rounds, "round")} in {Columns.Number(result.Seconds, 1)} s; {Columns.Bytes(result.BytesUp)} up, {Columns.Bytes(result.BytesDown)} down");
        shell.Output.WriteLine($"{Digits.ModelName} {result.ModelVersion}, sha-256 {result.ModelSha256}");
        if (_privacy is { } privacy)
        {
            PrivacyReportCommand.WritePrices(shell, privacy);
            if (privacy.Budget is { } budget)
            {
                BudgetCommands.WriteStanding(shell, options.ToSpec().Population, budget);
            }
        }

        if (folder.IsKept)
        {
            shell.Output.WriteLine($"Everything is in {folder.HostPath}. Look around with: ./fed up --data {folder.HostPath}");
        }

        if (options.Json)
        {
            shell.Output.WriteLine(JsonSerializer.Serialize(result, DemoJson.Default.DemoResult));
        }
    }
}
