using FedServerless.Model;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Client.Tests.Support;

/// <summary>One device, its disk, its clock and its server; can be switched off and on again.</summary>
internal sealed class Device : IDisposable
{
    public const string Run = "digits";

    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"fed-client-{Guid.NewGuid():N}");
    private FedClient? _client;

    public Device(int parameters = 3000)
    {
        Server = new FakeServer(Clock);
        Start = MakeModel(parameters);
        ModelBytes = ModelStateFile.ToBytes(Start);
        Server.Models["/models/1"] = ModelBytes;
        Lease = new TrainLease
        {
            Run = Run,
            Round = 1,
            Model = "digits",
            Base = new ModelArtifact("/models/1?sig=1", ModelBytes.Length, Digest.Of(ModelBytes), Start.Layout.Digest),
            Training = new TrainingSpec { Epochs = 3 },
            Seed = 42,
            Update = new UpdateSpec { BlockCoordinates = 1024, PartBytes = 256 << 10 },
            RemainingSeconds = 600,
        };
        Offer(Lease);
        Trainer = FedTrainer.Create(Fit, Evaluate);
        Options = new FedClientOptions
        {
            StateFolder = _folder,
            HttpHandler = Server,
            TimeProvider = Clock,
            OnEvent = happened =>
            {
                Events.Add(happened);
                OnEvent(happened);
            },
            Jitter = () => 0.5,
            Delay = (pause, cancellationToken) =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                Pauses.Add(pause);
                Clock.Advance(pause);
                return Task.CompletedTask;
            },
        };
    }

    public TestClock Clock { get; } = new();

    public FakeServer Server { get; }

    public FedClientOptions Options { get; set; }

    public ModelState Start { get; }

    public byte[] ModelBytes { get; }

    public TrainLease Lease { get; set; }

    public IFedTrainer Trainer { get; set; }

    public List<FedClientEvent> Events { get; } = [];

    public List<TimeSpan> Pauses { get; } = [];

    public Action<FedClientEvent> OnEvent { get; set; } = _ => { };

    public int Fits { get; private set; }

    public string Folder => _folder;

    public EvaluateLease EvaluateLease => new()
    {
        Run = Run,
        Round = 1,
        Model = "digits",
        Artifact = Lease.Base,
        RemainingSeconds = 60,
    };

    /// <summary>The next check-ins' work; the last repeats.</summary>
    public void Offer(params TrainLease?[] leases)
    {
        Server.CheckIns.Clear();
        foreach (var lease in leases)
        {
            Server.CheckIns.Enqueue(lease is null ? new CheckInResponse { RetryAfterSeconds = 30 } : new CheckInResponse { Train = lease });
        }
    }

    public void OfferEvaluation()
    {
        Server.CheckIns.Clear();
        Server.CheckIns.Enqueue(new CheckInResponse { Evaluate = EvaluateLease });
    }

    public async Task<FedClient> OnAsync(CancellationToken cancellationToken = default)
    {
        _client ??= await FedClient.EnrolAsync(Server.Code.ToString(), Options, cancellationToken);
        return _client;
    }

    public void Off()
    {
        _client?.Dispose();
        _client = null;
    }

    public async Task<FedStep> StepAsync(CancellationToken cancellationToken = default) =>
        await (await OnAsync(cancellationToken)).RunOnceAsync(Trainer, cancellationToken);

    /// <summary>Steps until an update is committed, as RunAsync would, restarting nothing.</summary>
    public async Task<FedStep> UntilCommittedAsync(int most = 20)
    {
        for (var i = 0; ; i++)
        {
            Assert.True(i < most, $"Not committed after {most} steps: {string.Join("; ", Events.TakeLast(5))}");
            try
            {
                var step = await StepAsync();
                if (step.Outcome is FedStepOutcome.Committed or FedStepOutcome.Late)
                {
                    return step;
                }
            }
            catch (FedClientException problem) when (problem.IsTransient)
            {
            }
        }
    }

    /// <summary>Asserts that the server holds one whole update of the trained model, and its receipt.</summary>
    public void AssertCommitted()
    {
        Assert.NotEmpty(Server.Receipts);
        var receipt = Server.Receipts[0];
        Assert.Equal((Run, 1, Lease.Base.Digest, 60L), (receipt.Run, receipt.Round, receipt.BaseDigest, receipt.Samples));
        var path = $"/store/sensor-7/{receipt.HeaderDigest}";
        var shape = UpdateShape.Create(Start.Layout, Lease.Update);
        Assert.Equal(receipt.HeaderDigest, Digest.Of(Server.Store[$"{path}/-1"]));
        Assert.True(UpdateHeader.TryParse(Server.Store[$"{path}/-1"], shape, Lease.Base.Digest, out var header, out var problem), problem);
        byte[] payload = [.. Enumerable.Range(0, Server.Store.Count - 1).Aggregate(new List<byte>(), (all, part) =>
        {
            all.AddRange(Server.Store[$"{path}/{part}"]);
            return all;
        })];
        Assert.Equal(receipt.Bytes, header!.Bytes.Length + payload.Length);
        var deltas = new float[Start.Layout.ParameterCount];
        for (var block = 0; block < shape.ParameterBlocks; block++)
        {
            var (start, count) = shape.ValuesOf(block);
            var bytes = payload.AsSpan((int)header.BlockOffset(block), header.BlockLength(block));
            Assert.True(header.VerifyBlock(block, bytes));
            Assert.True(header.TryDecodeBlock(block, bytes, deltas.AsSpan((int)start, count)));
        }

        var expected = new float[deltas.Length];
        for (var i = 0; i < expected.Length; i++)
        {
            expected[i] = Delta(i);
        }

        Assert.True(expected.AsSpan().SequenceEqual(deltas), "The update is not what training changed.");
    }

    /// <summary>The deltas of the update that the server has of a round, decoded.</summary>
    public float[] Sent(int round)
    {
        var receipt = Server.Receipts.Last(receipt => receipt.Round == round);
        var path = $"/store/sensor-7/{receipt.HeaderDigest}";
        var shape = UpdateShape.Create(Start.Layout, Lease.Update);
        Assert.True(UpdateHeader.TryParse(Server.Store[$"{path}/-1"], shape, receipt.BaseDigest, out var header, out var problem), problem);
        byte[] payload = [.. Enumerable.Range(0, Server.Store.Keys.Count(name => name.StartsWith(path, StringComparison.Ordinal)) - 1)
            .SelectMany(part => Server.Store[$"{path}/{part}"])];
        var deltas = new float[Start.Layout.ParameterCount];
        for (var block = 0; block < shape.ParameterBlocks; block++)
        {
            var (start, count) = shape.ValuesOf(block);
            Assert.True(header!.TryDecodeBlock(block, payload.AsSpan((int)header.BlockOffset(block), header.BlockLength(block)), deltas.AsSpan((int)start, count)));
        }

        return deltas;
    }

    public string[] FilesIn(string folder) => Directory.Exists(Path.Combine(_folder, folder))
        ? [.. Directory.GetFiles(Path.Combine(_folder, folder), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)]
        : [];

    public void Dispose()
    {
        Off();
        Server.Dispose();
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    /// <summary>What training adds to value <paramref name="i"/>: exact in float32.</summary>
    public static float Delta(int i) => (i % 7) * 0.25f;

    private static ModelState MakeModel(int parameters)
    {
        var layout = TensorLayout.Create(
            [new TensorSpec("w", [parameters], TensorRole.Parameter), new TensorSpec("m", [5], TensorRole.Buffer), new TensorSpec("n", [1], TensorRole.Integer)]);
        return new ModelState(layout, [.. Enumerable.Range(0, parameters + 5).Select(i => i % 13 * 0.5f)], [3]);
    }

    private FitResult Fit(FitContext context)
    {
        Fits++;
        Assert.Equal((Run, 3, 42L), (context.Run, context.Training.Epochs, context.Seed));
        Assert.Equal(Start.Values, context.Model.Values);
        for (var i = 0; i < context.Model.Parameters.Length; i++)
        {
            context.Model.Parameters[i] += Delta(i);
        }

        return new FitResult(60, new Dictionary<string, double> { ["loss"] = 0.5 });
    }

    private static EvaluationResult Evaluate(EvaluateContext context) => new(40, 0.25, 0.75);
}
