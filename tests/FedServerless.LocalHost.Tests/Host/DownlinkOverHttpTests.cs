using System.Collections.Concurrent;
using FedServerless.Activities.State;
using FedServerless.Client;
using FedServerless.Model;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Host;

/// <summary>
/// Models that travel otherwise than as they are, from the planner to the trainer. What devices must see is worked out below from
/// docs/concepts/downlink.md alone, with System.Half and one quantiser.
/// </summary>
public sealed class DownlinkOverHttpTests
{
    private const int Rounds = 6;

    private static readonly RunSpec Spec = new()
    {
        Model = "digits",
        Rounds = Rounds,
        Architecture = new ArchitectureSpec { Name = "softmax", Inputs = 40, Outputs = 10 },
        Round = new RoundSpec { Minimum = 2, Quorum = 2, DeadlineSeconds = 60 },
        Update = new UpdateSpec { BlockCoordinates = 1024 },
        Evaluation = new EvaluationSpec { Clients = ["alice"] },
    };

    [Theory]
    [InlineData("float32")]
    [InlineData("float16")]
    [InlineData("int8")]
    [InlineData("float16", "delta")]
    [InlineData("float32", "delta")]
    public async Task Run_ModelTravelsEncoded_TrainersSeeWhatFollowsFromTheVersions(params string[] encodings)
    {
        await using var host = await RunningHost.StartAsync();
        using var alice = await host.EnrolAsync("alice");
        using var bob = await host.EnrolAsync("bob");
        using var stop = new CancellationTokenSource();
        var seen = new ConcurrentDictionary<(string Client, int Round), float[]>();
        var clients = new[] { alice.RunAsync(Trainer("alice", 0.37f, seen), stop.Token), bob.RunAsync(Trainer("bob", 0.11f, seen), stop.Token) };

        await host.StartRunAsync("first", Spec with { Download = new DownloadSpec { Encodings = encodings, DeltaVersions = 2 } });
        var run = await host.WaitForEndAsync("first");

        await stop.CancelAsync();
        await Task.WhenAll(clients);
        Assert.Equal((RunStates.Completed, Rounds), (run.State, run.PublishedRounds));
        float[]? chain = null;
        for (var round = 1; round <= Rounds; round++)
        {
            var plan = await host.Host.Store.GetAsync(StoreNames.Plan("first", round), StoreJson.Default.RoundPlan, CancellationToken.None);
            var exact = await ReadAsync(host.Host.Store, plan.Value.Base.Object);
            chain = Expected(encodings, exact, chain);
            Assert.Equal(chain, seen[("bob", round)]);

            // Alice evaluates, so she may hold the exact weights already; where the round serves those, they cost her nothing.
            var exactly = round > 1 && encodings is ["float32", "delta"];
            Assert.Equal(exactly ? exact : chain, seen[("alice", round)]);
        }
    }

    // Every delta is listed and none is there: devices come to the same models another way, and no round is lost.
    [Theory]
    [InlineData("float16")]
    [InlineData("float32")]
    public async Task Run_StoreLosesEveryDelta_TrainersSeeTheSameModels(string carrier)
    {
        await using var host = await RunningHost.StartAsync(store => new ForgetfulStore(store));
        using var alice = await host.EnrolAsync("alice");
        using var stop = new CancellationTokenSource();
        var seen = new ConcurrentDictionary<(string Client, int Round), float[]>();
        var client = alice.RunAsync(Trainer("alice", 0.37f, seen), stop.Token);

        string[] encodings = [carrier, "delta"];
        await host.StartRunAsync("first", Spec with { Evaluation = null, Round = new RoundSpec { DeadlineSeconds = 60 }, Download = new DownloadSpec { Encodings = encodings } });
        var run = await host.WaitForEndAsync("first");

        await stop.CancelAsync();
        await client;
        Assert.Equal((RunStates.Completed, Rounds), (run.State, run.PublishedRounds));
        float[]? chain = null;
        for (var round = 1; round <= Rounds; round++)
        {
            var plan = await host.Host.Store.GetAsync(StoreNames.Plan("first", round), StoreJson.Default.RoundPlan, CancellationToken.None);
            chain = Expected(encodings, await ReadAsync(host.Host.Store, plan.Value.Base.Object), chain);
            Assert.Equal(chain, seen[("alice", round)]);
        }
    }

    [Fact]
    public async Task Run_Deltas_CostFewerBytesThanModels()
    {
        var whole = await BytesDownAsync("float16");
        var deltas = await BytesDownAsync("float16", "delta");

        Assert.InRange(deltas, 1, whole * 3 / 4);
    }

    [Fact]
    public async Task Run_Deltas_OldVersionsLoseTheirDownloads()
    {
        await using var host = await RunningHost.StartAsync();
        await CompleteAsync(host, Spec with { Evaluation = null, Download = new DownloadSpec { Encodings = ["float16", "delta"], DeltaVersions = 2 } });

        var versions = new List<string>();
        await foreach (var facts in host.Host.Store.ListAsync(StoreNames.Versions("digits"), CancellationToken.None))
        {
            if (facts.Name.Contains("/downloads/", StringComparison.Ordinal) && facts.Name.EndsWith(".json", StringComparison.Ordinal))
            {
                versions.Add(facts.Name.Split('/')[3]);
            }
        }

        // The last round starts from r5; its deltas reach from r3's model to r5's.
        Assert.Equal(["first-r3", "first-r4", "first-r5"], versions.Order(StringComparer.Ordinal));
    }

    private static async Task<long> BytesDownAsync(params string[] encodings)
    {
        await using var host = await RunningHost.StartAsync();
        return await CompleteAsync(host, Spec with { Evaluation = null, Download = new DownloadSpec { Encodings = encodings } });
    }

    private static async Task<long> CompleteAsync(RunningHost host, RunSpec spec)
    {
        using var alice = await host.EnrolAsync("alice");
        using var stop = new CancellationTokenSource();
        var client = alice.RunAsync(Trainer("alice", 0.37f, []), stop.Token);
        await host.StartRunAsync("first", spec with { Round = new RoundSpec { DeadlineSeconds = 60 } });
        Assert.Equal(RunStates.Completed, (await host.WaitForEndAsync("first")).State);
        await stop.CancelAsync();
        await client;
        return alice.BytesDown;
    }

    private static async Task<float[]> ReadAsync(IObjectStore store, string name)
    {
        var bytes = (await store.FindBytesAsync(name, CancellationToken.None))!.Value.Content;
        return ModelStateFile.Read(bytes).Parameters.ToArray();
    }

    private static float[] Expected(string[] encodings, float[] exact, float[]? before)
    {
        var hasHalf = encodings.Contains("float16");
        if (encodings.Contains("delta"))
        {
            var moved = before is null ? exact : [.. before.Zip(Quantised([.. exact.Zip(before, (now, then) => now - then)]), (then, step) => then + step)];
            return hasHalf ? Halves(moved) : moved;
        }

        return hasHalf ? Halves(exact) : encodings.Contains("int8") ? Quantised(exact) : exact;
    }

    private static float[] Halves(float[] values) => [.. values.Select(value => (float)(Half)value)];

    private static float[] Quantised(float[] values)
    {
        var scale = values.Max(Math.Abs) / 127f;
        return [.. values.Select(value => scale == 0 ? 0 : scale * MathF.Round(value / scale, MidpointRounding.ToEven))];
    }

    private static IFedTrainer Trainer(string client, float step, ConcurrentDictionary<(string Client, int Round), float[]> seen) => FedTrainer.Create(
        (context, _) =>
        {
            seen[(client, context.Round)] = context.Model.Parameters.ToArray();
            for (var i = 0; i < context.Model.Parameters.Length; i++)
            {
                context.Model.Parameters[i] += step * MathF.Sin(i + context.Round) / context.Round;
            }

            return ValueTask.FromResult(new FitResult(10));
        },
        (_, _) => ValueTask.FromResult(new EvaluationResult(5, 0.5)));

    /// <summary>Acknowledges deltas, and has none of them.</summary>
    private sealed class ForgetfulStore(IObjectStore inner) : IObjectStore
    {
        public async Task<PutResult> PutAsync(string name, Stream content, long length, PutCondition condition, CancellationToken cancellationToken)
        {
            var put = await inner.PutAsync(name, content, length, condition, cancellationToken);
            if (name.EndsWith(".delta", StringComparison.Ordinal))
            {
                await inner.DeleteAsync(name, cancellationToken);
            }

            return put;
        }

        public Task<ObjectFacts?> HeadAsync(string name, CancellationToken cancellationToken) => inner.HeadAsync(name, cancellationToken);

        public Task<ObjectFacts?> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
            inner.ReadAsync(name, offset, destination, cancellationToken);

        public Task<ObjectContent?> OpenAsync(string name, long offset, CancellationToken cancellationToken) => inner.OpenAsync(name, offset, cancellationToken);

        public IAsyncEnumerable<ObjectFacts> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

        public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

        public Task<PresignedRequest> PresignGetAsync(string name, TimeSpan validFor, CancellationToken cancellationToken) =>
            inner.PresignGetAsync(name, validFor, cancellationToken);

        public Task<PresignedRequest> PresignCreateAsync(string name, long length, TimeSpan validFor, CancellationToken cancellationToken) =>
            inner.PresignCreateAsync(name, length, validFor, cancellationToken);
    }
}
