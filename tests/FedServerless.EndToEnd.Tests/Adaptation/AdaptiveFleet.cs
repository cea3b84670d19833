using FedServerless.Activities.State;
using FedServerless.Client;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests.Adaptation;

/// <summary>Devices of different speeds, and the run that adapts to them after one that does not, in which they measured themselves.</summary>
internal static class AdaptiveFleet
{
    /// <summary>Rounds of the run that adapts.</summary>
    public const int Rounds = 2;

    /// <summary>20 000 parameters: 80 kB in float32, 20 kB in int8.</summary>
    public static RunSpec Usual(int clients) => new()
    {
        Model = "digits",
        Rounds = 1,
        Seed = 7,
        Architecture = new ArchitectureSpec { Name = "softmax", Inputs = 1999, Outputs = 10 },
        Training = new TrainingSpec { Epochs = 2, BatchSize = 32 },
        Round = new RoundSpec { DeadlineSeconds = 1000, Minimum = clients },
        Update = new UpdateSpec { BlockCoordinates = 1024 },
        RetainUpdates = true,
    };

    /// <summary>10 s of 40 s for an update. The bound on a day's bytes is so large that no device rests.</summary>
    public static RunSpec Adaptive(int clients, bool choosesCodec = true) => Usual(clients) with
    {
        Rounds = Rounds,
        Adaptation = new AdaptationSpec
        {
            MinEpochs = 1, MaxEpochs = 8, MinBatchSize = 8, MaxBatchSize = 64, TargetSeconds = 40, Codecs = choosesCodec ? ["float32", "int8"] : [], MaxBytesPerDay = RunLimits.MaxBytesPerDay,
        },
    };

    /// <summary>A device for each thing there is to adapt to. Of the four the slow line alone is too slow for float32, unless the slow processor has one like it.</summary>
    public static IReadOnlyList<SimulatedDevice> Devices(double upOfTheSlowProcessor = 1e6) =>
    [
        new() { Id = "a-fast" },
        new() { Id = "b-slow-processor", SecondsPerSample = 0.1, Up = upOfTheSlowProcessor },
        new() { Id = "c-slow-line", Up = 4000, Down = 20_000, Latency = TimeSpan.FromSeconds(0.5), SecondsPerSample = 0.02 },
        new() { Id = "d-small", MemoryBytes = 1 << 20 },
    ];

    /// <summary>Enrols the devices and lets them measure themselves in a run of one round.</summary>
    public static async Task MeasureAsync(HostedFederation federation, IReadOnlyList<SimulatedDevice> devices)
    {
        foreach (var device in devices)
        {
            (await federation.EnrolAsync(device.Id, device.Trainer(), device.Equip)).Start();
        }

        await federation.Operator.StartRunAsync("usual", Usual(devices.Count));
        Assert.Equal(RunStates.Completed, (await federation.Operator.WaitForEndAsync("usual")).State);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        foreach (var client in federation.Clients)
        {
            // A check-in that was answered after the commit told the server what the round measured.
            while (!client.Events.SkipWhile(happened => happened is not Committed).OfType<CheckedIn>().Any())
            {
                await Task.Delay(ImpatientTime.LongestPause, patience.Token);
            }
        }
    }

    /// <summary>The whole, to its end.</summary>
    public static async Task<AdaptiveRun> RunAsync(HostedFederation federation, IReadOnlyList<SimulatedDevice> devices, bool choosesCodec = true)
    {
        await MeasureAsync(federation, devices);
        await federation.Operator.StartRunAsync("run", Adaptive(devices.Count, choosesCodec));
        return await EndAsync(federation, devices.Select(device => device.Id));
    }

    /// <summary>Waits for the end and reads what was chosen and what came of it.</summary>
    public static async Task<AdaptiveRun> EndAsync(HostedFederation federation, IEnumerable<string> clients)
    {
        var ended = await federation.Operator.WaitForEndAsync("run");
        Assert.Equal((RunStates.Completed, Rounds), (ended.State, ended.PublishedRounds));
        await Consistency.CheckAsync(federation, "run", Rounds);
        var rounds = new List<AdaptiveRound>();
        for (var round = 1; round <= Rounds; round++)
        {
            var plan = (await federation.Disk.GetAsync(StoreNames.Plan("run", round), StoreJson.Default.RoundPlan, CancellationToken.None)).Value;
            var parts = new SortedDictionary<string, (LeaseDocument Lease, Receipt Receipt)>(StringComparer.Ordinal);
            foreach (var client in clients)
            {
                var lease = await federation.Disk.GetAsync(StoreNames.Lease("run", round, client), StoreJson.Default.LeaseDocument, CancellationToken.None);
                var receipt = await federation.Disk.GetAsync(StoreNames.Receipt("run", round, client), StoreJson.Default.ReceiptDocument, CancellationToken.None);
                parts[client] = (lease.Value, receipt.Value.Receipt);
            }

            rounds.Add(new AdaptiveRound(plan.Update.Codec, parts));
        }

        return new AdaptiveRun(rounds, await Published.BytesAsync(federation.Disk, "digits", $"run-r{Rounds}"));
    }
}

/// <summary>What was chosen in each round, and the last model.</summary>
internal sealed record AdaptiveRun(IReadOnlyList<AdaptiveRound> Rounds, byte[] Model)
{
    /// <summary>All that the server chose, from which measurements, and what clients signed: a line for each client and round.</summary>
    public IEnumerable<string> Choices => Rounds.SelectMany((round, index) => round.Clients.Select(client =>
        $"{index + 1} {round.Codec} {client.Key} {client.Value.Lease.Choice} {client.Value.Lease.Measured} {client.Value.Receipt.Choice} {client.Value.Receipt.HeaderDigest}"));
}

/// <summary>The codec of a round, and of each client the lease's choice and the receipt.</summary>
internal sealed record AdaptiveRound(string Codec, IReadOnlyDictionary<string, (LeaseDocument Lease, Receipt Receipt)> Clients);
