using System.Security.Cryptography;
using FedServerless.Activities.Clients;
using FedServerless.Activities.State;
using FedServerless.Compression;
using FedServerless.Gateway;
using FedServerless.Gateway.Rounds;
using FedServerless.LocalHost.Tests.Privacy;
using FedServerless.Model;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Updates;
using FedServerless.Workflows.Rounds;
using FedServerless.Workflows.Runs;

namespace FedServerless.LocalHost.Tests.Gateway;

/// <summary>A run in its first round, planned and opened by the real activities; alice and bob are selected, carol came too late.</summary>
internal sealed class RoundScene : IDisposable
{
    public const string Run = "r";

    public const string Round = "runs/r/rounds/1";

    public static readonly RoundInput Input = new(Run, 1);

    private static readonly byte[] Header = new byte[32];

    private RoundScene(GatewayBench bench) => Bench = bench;

    public GatewayBench Bench { get; }

    public TestDevice Alice { get; private set; } = null!;

    public TestDevice Bob { get; private set; } = null!;

    public TestDevice Carol { get; private set; } = null!;

    public RoundPlan Plan { get; private set; } = null!;

    public UpdateShape Shape { get; private set; } = null!;

    public static RunSpec Spec => new()
    {
        Model = "m",
        Rounds = 3,
        Architecture = new ArchitectureSpec { Name = "softmax", Inputs = 4, Outputs = 3 },
        Round = new RoundSpec { Minimum = 2, Quorum = 2, DeadlineSeconds = 600 },
        Update = new UpdateSpec { BlockCoordinates = 1024, PartBytes = 256 << 10 },
        Evaluation = new EvaluationSpec { Clients = ["alice"] },
    };

    public static async Task<RoundScene> OpenAsync(Func<IObjectStore, IObjectStore>? wrap = null, GatewayOptions? options = null, RunSpec? spec = null)
    {
        var scene = await PlanAsync(wrap, options, spec);
        await scene.Bench.Activities.OpenRound.RunAsync(Input, CancellationToken.None);
        return scene;
    }

    public static async Task<RoundScene> PlanAsync(Func<IObjectStore, IObjectStore>? wrap = null, GatewayOptions? options = null, RunSpec? spec = null)
    {
        var bench = new GatewayBench(options, wrap);
        var scene = new RoundScene(bench) { Alice = await bench.DeviceAsync("alice"), Bob = await bench.DeviceAsync("bob") };
        await bench.CheckInAsync(scene.Alice);
        await bench.CheckInAsync(scene.Bob);
        if (spec?.Privacy is not null)
        {
            await bench.BudgetAsync();
        }

        var created = await bench.OperateAsync("createRun", "runs", new CreateRunRequest(Run, spec ?? Spec), WireJson.Default.CreateRunRequest);
        Assert.Equal(201, created.Status);
        Assert.Equal(200, (await bench.OperateAsync("startRun", $"runs/{Run}/start")).Status);
        await bench.Activities.DecideStep.RunAsync(new RunProgress(Run), CancellationToken.None);
        await bench.Activities.PlanRound.RunAsync(Input, CancellationToken.None);
        scene.Carol = await bench.DeviceAsync("carol");
        scene.Plan = (await bench.Disk.GetAsync(StoreNames.Plan(Run, 1), StoreJson.Default.RoundPlan, CancellationToken.None)).Value;
        var layout = Architectures.Layout(Spec.Architecture!);
        scene.Shape = UpdateShape.Create(layout, UpdateCodecs.All.Get("float32"), 1024);
        return scene;
    }

    /// <summary>A sound announcement: one part that holds everything.</summary>
    public UploadRequest Announcement(byte content = 1)
    {
        var part = Part(content);
        return new UploadRequest(HeaderDigest(content), Shape.HeaderLength, [new UploadPart(part.Length, Convert.ToBase64String(MD5.HashData(part)))]);
    }

    public static Digest HeaderDigest(byte content) => Digest.Of([.. Header, content]);

    public Receipt Receipt(string client, byte content = 1) => new(
        client, Run, 1, Plan.Base.Digest, HeaderDigest(content), Shape.HeaderLength + Part(content).Length, 10, new Dictionary<string, double> { ["loss"] = 0.5 });

    public Task<Answer> AskAsync(TestDevice device, UploadRequest? request = null, string round = Round) =>
        Bench.CallAsync(device, "askUploads", $"{round}/uploads", request ?? Announcement(), WireJson.Default.UploadRequest);

    public Task<Answer> CommitAsync(TestDevice device, Receipt? receipt = null, string round = Round) =>
        Bench.CallAsync(device, "commitReceipt", $"{round}/receipts", receipt ?? Receipt(device.Client), WireJson.Default.Receipt);

    public async Task<ReceiptStatus> MineAsync(TestDevice device) =>
        (await Bench.CallAsync(device, "getMyReceipt", $"{Round}/receipts/mine")).Read(WireJson.Default.ReceiptStatus);

    /// <summary>Asks for URLs and puts what is missing where they point.</summary>
    public async Task UploadAsync(TestDevice device, byte content = 1)
    {
        var answer = await AskAsync(device, Announcement(content));
        Assert.Equal(200, answer.Status);
        foreach (var missing in answer.Read(WireJson.Default.UploadResponse).Missing)
        {
            var name = NameOf(missing);
            await Bench.Disk.PutBytesAsync(name, missing.Part < 0 ? new byte[Shape.HeaderLength] : Part(content), PutCondition.CreateOnce, CancellationToken.None);
        }
    }

    public static string NameOf(PartUpload upload) => upload.Url["/blobs/".Length..upload.Url.IndexOf('?', StringComparison.Ordinal)];

    public async Task UploadAndCommitAsync(TestDevice device)
    {
        await UploadAsync(device);
        Assert.Equal(201, (await CommitAsync(device)).Status);
    }

    public Task PutAsync(string name) => Bench.Disk.PutBytesAsync(name, default, PutCondition.CreateOnce, CancellationToken.None);

    public PresenceBook Presence => Bench.Get<PresenceBook>();

    public RoundBoard Board => Bench.Get<RoundBoard>();

    public void Dispose()
    {
        Alice.Dispose();
        Bob.Dispose();
        Carol?.Dispose();
        Bench.Dispose();
    }

    private byte[] Part(byte content)
    {
        var part = new byte[Shape.MaxPayloadLength];
        part.AsSpan().Fill(content);
        return part;
    }
}
