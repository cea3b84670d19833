using System.Globalization;
using FedServerless.Cli.Models;
using FedServerless.Cli.Output;
using FedServerless.Cli.Server;
using FedServerless.Client;
using FedServerless.Client.Training;
using FedServerless.Wire;

namespace FedServerless.Cli.Demo;

/// <summary>Shows each round of the demo with the accuracy of the version it published, measured on the held-out digits.</summary>
internal sealed class DemoRounds(Shell shell, OperatorClient server, DemoOptions options, LabelledSamples heldOut)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    private const int LooksPerQuestion = 20;

    private static readonly Columns Table = new(
        ("round", 5), ("accuracy", 8), ("loss", 7), ("accepted", 8), ("up", 10), ("down", 10), ("seconds", 7));

    private IDifferentiableModel? _classifier;

    /// <summary>What the last published version is worth; null before the first.</summary>
    public EvaluationResult? Last { get; private set; }

    /// <summary>Follows the run to its end, by its log: that is what a look costs the host least.</summary>
    public async Task<RunView> FollowAsync(string run, CancellationToken cancellationToken)
    {
        shell.WriteLine(Table.Header);
        return await LiveStatus.RunAsync(shell, options.Json, "waiting for the clients", async status =>
        {
            var idle = 0;
            for (var next = 0; ;)
            {
                var started = shell.Time.GetTimestamp();
                var page = await server.GetLogAsync(run, next, cancellationToken);
                var took = shell.Time.GetElapsedTime(started);
                foreach (var entry in page.Entries)
                {
                    await ShowAsync(run, entry, cancellationToken);
                    status(entry.Message);
                }

                next = page.Next;
                idle = page.Entries.Count > 0 ? 0 : idle + 1;

                // A run that ends says so last; one that was deleted or failed may not, so ask now and then.
                if (page.Entries.Any(entry => entry.Kind == "runEnded") || idle % LooksPerQuestion == LooksPerQuestion - 1)
                {
                    var view = await server.GetRunAsync(run, cancellationToken);
                    if (RunStates.IsFinal(view.State))
                    {
                        return view;
                    }
                }

                // Looking takes a tenth of the host's time at most, however slow its store is.
                await Task.Delay(took * 9 > LookEvery ? took * 9 : LookEvery, shell.Time, cancellationToken);
            }
        });
    }

    private async Task ShowAsync(string run, LogEntry entry, CancellationToken cancellationToken)
    {
        switch (entry.Kind)
        {
            case "roundPublished":
                var version = await server.GetVersionAsync(Digits.ModelName, $"{run}-r{entry.Round}", cancellationToken);
                var model = await ModelFiles.DownloadAsync(server, version.Weights, cancellationToken);
                _classifier ??= BuiltInModel.Bind(model.Layout, heldOut);
                Last = _classifier.Evaluate(model, cancellationToken);
                shell.WriteLine(Table.Row(
                    entry.Round.ToString(CultureInfo.InvariantCulture),
                    Columns.Number(Last.Accuracy, 4), Columns.Number(Last.Loss, 4), Columns.Number(Value("accepted"), 0),
                    Columns.Bytes(Value("bytesUp") ?? 0), Columns.Bytes(Value("bytesDown") ?? 0), Columns.Number(Value("seconds"), 2)));
                break;
            case "roundAbandoned" or "updateExcluded":
                shell.WriteLine(entry.Message);
                break;
        }

        double? Value(string name) => entry.Values.TryGetValue(name, out var value) ? value : null;
    }
}
