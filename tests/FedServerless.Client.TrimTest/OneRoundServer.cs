using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Client.TrimTest;

/// <summary>The least a server must say for a round and an evaluation to happen.</summary>
internal sealed class OneRoundServer : HttpMessageHandler
{
    private readonly byte[] _model = ModelStateFile.ToBytes(
        Architectures.Initialize(new ArchitectureSpec { Name = "softmax", Inputs = 2, Outputs = 2 }, seed: 1));

    private int _checkIns;
    private bool _challenged;

    public string Code { get; } = new EnrolmentCode(new Uri("http://fed.test"), "device", "c2VjcmV0").ToString();

    public int Parts { get; private set; }

    public int Receipts { get; private set; }

    public int Evaluations { get; private set; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        if (!_challenged)
        {
            _challenged = true;
            return Json(HttpStatusCode.Unauthorized, new ProblemDetails("/problems/nonce", "Nonce", 401), WireJson.Default.ProblemDetails);
        }

        switch (request.RequestUri!.AbsolutePath.Split('/')[^1])
        {
            case "enrol":
                return Json(HttpStatusCode.OK, new EnrolResponse("device", "default"), WireJson.Default.EnrolResponse);
            case "check-in":
                return Json(HttpStatusCode.OK, ++_checkIns == 1 ? new CheckInResponse { Train = Train() } : new CheckInResponse { Evaluate = Evaluate() }, WireJson.Default.CheckInResponse);
            case "model":
                return new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(_model) };
            case "uploads":
                return Json(HttpStatusCode.OK, new UploadResponse([Part(-1), Part(0)]), WireJson.Default.UploadResponse);
            case "part":
                Parts++;
                return new HttpResponseMessage(HttpStatusCode.Created);
            case "receipts":
                _ = JsonSerializer.Deserialize(body, WireJson.Default.Receipt);
                Receipts++;
                return Json(HttpStatusCode.Created, new CommitResponse("committed"), WireJson.Default.CommitResponse);
            case "evaluations":
                _ = JsonSerializer.Deserialize(body, WireJson.Default.Evaluation);
                Evaluations++;
                return Json(HttpStatusCode.Created, new CommitResponse("committed"), WireJson.Default.CommitResponse);
            default:
                return Json(HttpStatusCode.OK, new ReceiptStatus("included", null), WireJson.Default.ReceiptStatus);
        }
    }

    private static PartUpload Part(int part) => new(part, "PUT", "/part", new Dictionary<string, string>());

    private ModelArtifact Artifact() => new("/model", _model.Length, Digest.Of(_model), ModelStateFile.Read(_model).Layout.Digest);

    private TrainLease Train() => new()
    {
        Run = "run",
        Round = 1,
        Model = "model",
        Base = Artifact(),
        Training = new TrainingSpec(),
        Seed = 1,
        Update = new UpdateSpec(),
        RemainingSeconds = 60,
    };

    private EvaluateLease Evaluate() => new() { Run = "run", Round = 1, Model = "model", Artifact = Artifact(), RemainingSeconds = 60 };

    private static HttpResponseMessage Json<T>(HttpStatusCode status, T value, JsonTypeInfo<T> type) =>
        new(status) { Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(value, type)) };
}
