using FedServerless.Cli.Server;
using FedServerless.Client;
using FedServerless.Wire;

namespace FedServerless.Cli.Demo;

/// <summary>Edge clients in this process: each a real client with a key, a folder and samples of its own, that knows the server by HTTP only.</summary>
internal sealed class DemoClients : IDisposable
{
    private readonly List<(FedClient Client, IFedTrainer Trainer)> _clients = [];

    private DemoClients()
    {
    }

    public long BytesUp => _clients.Sum(entry => entry.Client.BytesUp);

    public long BytesDown => _clients.Sum(entry => entry.Client.BytesDown);

    /// <summary>Enrols a client for each trainer, all at once.</summary>
    /// <param name="server">Makes the one-time codes.</param>
    /// <param name="folder">Gets a folder for each client.</param>
    /// <param name="trainers">What each client does.</param>
    /// <param name="onTrouble">Gets a line when something goes wrong for now.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<DemoClients> EnrolAsync(
        OperatorClient server, string folder, IReadOnlyList<IFedTrainer> trainers, Action<string> onTrouble, CancellationToken cancellationToken)
    {
        var clients = new DemoClients();
        try
        {
            var enrolled = await Task.WhenAll(trainers.Select((_, index) => EnrolAsync($"edge-{index + 1:000}")));
            clients._clients.AddRange(enrolled.Zip(trainers));
            return clients;
        }
        catch (FedClientException exception)
        {
            clients.Dispose();
            throw new CommandException($"A client cannot enrol: {exception.Message}");
        }
        catch
        {
            clients.Dispose();
            throw;
        }

        async Task<FedClient> EnrolAsync(string name)
        {
            var code = await server.CreateEnrolmentAsync(new CreateEnrolmentRequest(name), cancellationToken);
            var options = new FedClientOptions
            {
                StateFolder = Path.Combine(folder, name),
                OnEvent = happened =>
                {
                    if (Describe(happened) is { } trouble)
                    {
                        onTrouble($"{name}: {trouble}");
                    }
                },
            };
            return await FedClient.EnrolAsync(code.Code, options, cancellationToken);
        }
    }

    /// <summary>Lets every client take part until cancelled; throws what stops one before.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var together = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = _clients.ConvertAll(entry => Task.Run(() => entry.Client.RunAsync(entry.Trainer, together.Token), CancellationToken.None));
        await Task.WhenAny(running);
        await together.CancelAsync();
        await Task.WhenAll(running);
    }

    public void Dispose() => _clients.ForEach(entry => entry.Client.Dispose());

    private static string? Describe(FedClientEvent happened) => happened switch
    {
        GaveUp gaveUp => $"gave up round {gaveUp.Round}: {gaveUp.Reason}",
        Retrying retrying => $"{retrying.Operation} failed ({retrying.Reason}); trying again in {retrying.Pause.TotalSeconds:0.0} s",
        _ => null,
    };
}
