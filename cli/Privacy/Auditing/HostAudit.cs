using FedServerless.Cli.Demo;
using FedServerless.Cli.Hosting;
using FedServerless.Cli.Models;
using FedServerless.Cli.Server;
using FedServerless.Client;
using FedServerless.Model;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Cli.Privacy.Auditing;

/// <summary>
/// The audit of a throw-away run: a host of its own in a temporary folder, a client over HTTP for every canary that its coin lets in, and only what is published
/// is looked at. Those clients clip as any client of the SDK does, so that a server which clips wrongly is not seen here.
/// </summary>
internal sealed class HostAudit(Shell shell, PrivacyAuditOptions options)
{
    private const string RunName = "audit";
    private const string ModelName = "canaries";
    private const int Classes = 2;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(0.5);

    private readonly CanaryAuditor _auditor = new(options);

    public async Task<PrivacyAuditResult> RunAsync(CancellationToken cancellationToken)
    {
        using var folder = DemoFolder.Open(shell, named: null);
        await using var host = await LocalHost.StartAsync(shell, new(new DataFolder(folder.HostPath), Port: 0) { FlushToDisk = false }, onLine: null, cancellationToken);
        using var server = new OperatorClient(host.Address);
        var isIn = _auditor.Toss();
        await PrepareAsync(server, cancellationToken);
        IFedTrainer[] canaries = [.. isIn.Index().Where(coin => coin.Item).Select(coin => new CanaryTrainer(_auditor.Directions, coin.Index, options.Clip))];
        using var clients = await DemoClients.EnrolAsync(server, folder.ClientsPath, canaries, shell.WriteErrorLine, cancellationToken);
        await server.SteerRunAsync(RunName, "start", null, cancellationToken);
        await FollowAsync(server, clients, host, cancellationToken);
        return _auditor.Judge(PrivacyAuditResult.Host, isIn, await ScoreAsync(server, cancellationToken));
    }

    private async Task PrepareAsync(OperatorClient server, CancellationToken cancellationToken)
    {
        // The largest there is: the budget is not what is audited.
        var budget = new SetBudgetRequest
        {
            Epsilon = PrivacyBudget.LargestEpsilon,
            Clients = options.Canaries,
            Delta = options.Delta,
            Adaptivity = SetBudgetRequest.Adaptivities[(int)FilterAdaptivity.ScheduleFixed],
        };
        var length = options.RoundLength ?? TimeSpan.FromSeconds(5 + (options.Canaries / 20.0));
        var spec = new RunSpec
        {
            Model = ModelName,
            Rounds = options.Rounds,
            Architecture = new ArchitectureSpec { Name = Architectures.Softmax, Inputs = (options.BlockSize * options.Blocks / Classes) - 1, Outputs = Classes },
            Selection = new SelectionSpec { Kind = Selections.Poisson, Rate = options.Rate, QuarantineAfter = 0 },
            Round = new RoundSpec { DeadlineSeconds = length.TotalSeconds },
            Aggregation = new AggregationSpec { Weighting = Weightings.Uniform },
            Update = new UpdateSpec { BlockCoordinates = options.BlockSize },
            Privacy = new PrivacySpec { Clients = options.Canaries, NoiseMultiplier = _auditor.Noise, Delta = options.Delta, Clip = options.Clip },
        };
        await server.SetBudgetAsync(spec.Population, budget, cancellationToken);
        await server.CreateRunAsync(new CreateRunRequest(RunName, spec), cancellationToken);
    }

    private async Task FollowAsync(OperatorClient server, DemoClients clients, LocalHost host, CancellationToken cancellationToken)
    {
        using var together = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var training = clients.RunAsync(together.Token);
        var following = WaitAsync(server, together.Token);
        var first = await Task.WhenAny(following, training, host.Ended);
        await together.CancelAsync();
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
            throw new CommandException($"A canary cannot go on: {exception.Message}");
        }

        var run = await following;
        if (run.State != RunStates.Completed)
        {
            throw new CommandException($"The run ended {run.State}: {run.Reason}.");
        }
    }

    private async Task<RunView> WaitAsync(OperatorClient server, CancellationToken cancellationToken)
    {
        while (true)
        {
            var run = await server.GetRunAsync(RunName, cancellationToken);
            if (RunStates.IsFinal(run.State))
            {
                return run;
            }

            await Task.Delay(LookEvery, shell.Time, cancellationToken);
        }
    }

    private async Task<double[]> ScoreAsync(OperatorClient server, CancellationToken cancellationToken)
    {
        var scores = new double[options.Canaries];
        float[]? before = null;
        for (var round = 1; round <= options.Rounds; round++)
        {
            var version = await server.GetVersionAsync(ModelName, $"{RunName}-r{round}", cancellationToken);
            before ??= await ReadAsync(server, version.Parent!, cancellationToken);
            var after = await ReadAsync(server, version.Version, cancellationToken);
            _auditor.AddScores(scores, round, [.. after.Zip(before, (now, then) => (double)now - then)]);
            before = after;
        }

        return scores;
    }

    private static async Task<float[]> ReadAsync(OperatorClient server, string version, CancellationToken cancellationToken)
    {
        var weights = (await server.GetVersionAsync(ModelName, version, cancellationToken)).Weights;
        return (await ModelFiles.DownloadAsync(server, weights, cancellationToken)).Parameters.ToArray();
    }
}
