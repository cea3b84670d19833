using System.Collections.Frozen;
using FedServerless.Gateway.About;
using FedServerless.Gateway.Audit;
using FedServerless.Gateway.Authentication;
using FedServerless.Gateway.Clients;
using FedServerless.Gateway.Models;
using FedServerless.Gateway.Privacy;
using FedServerless.Gateway.Rounds;
using FedServerless.Gateway.Runs;
using FedServerless.Wire;
using static FedServerless.Gateway.Http.RoutePolicy;

namespace FedServerless.Gateway.Http;

/// <summary>
/// The HTTP surface, once. The local host maps every row in a loop; the Functions app has one thin trigger a row. Order is that of
/// docs/concepts/http-api.md, which a test compares with it.
/// </summary>
public sealed class RouteTable
{
    private readonly FrozenDictionary<string, Route> _byName;

    private readonly Lazy<byte[]> _openApi;

    /// <summary>Makes the table from the use cases behind it.</summary>
    public RouteTable(
        RunLifecycle runs, RunViews runViews, RunDeletion deletion, RunLogs logs, RoundViews rounds, RoundClients roundClients,
        Models.Models models, ModelUploads modelUploads, PrivacyDesk privacy, ClientDesk clients,
        CheckIns checkIns, Uploads uploads, Receipts receipts, ClientEvaluations evaluations, AuditViews audit, HostReport host,
        ServerSigner signer)
    {
        _openApi = new Lazy<byte[]>(() => OpenApiDocument.Write(Routes!));
        Routes =
        [
            .. RunRows(runs, runViews, deletion, logs, rounds, roundClients),
            .. ModelRows(models, modelUploads),
            .. PrivacyRows(privacy),
            .. ClientRows(clients, audit),
            .. DeviceRows(clients, checkIns, uploads, receipts, evaluations),
            .. PublicRows(host, signer),
        ];
        _byName = Routes.ToFrozenDictionary(route => route.Name, StringComparer.Ordinal);
    }

    /// <summary>Every row.</summary>
    public IReadOnlyList<Route> Routes { get; }

    /// <summary>The row of a name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public Route this[string name] => _byName[name];

    private static IEnumerable<Route> RunRows(RunLifecycle runs, RunViews views, RunDeletion deletion, RunLogs logs, RoundViews rounds, RoundClients clients)
    {
        var json = WireJson.Default;
        yield return new() { Name = "createRun", Method = "POST", Template = "runs", Policy = Operator, Summary = "Creates a run as a draft, or with dryRun only validates it.", Request = json.CreateRunRequest, Response = json.RunView, Statuses = [201, 200, 400, 409], Handler = runs.CreateAsync };
        yield return new() { Name = "listRuns", Method = "GET", Template = "runs", Policy = Operator, Summary = "Lists the runs.", Response = json.ListingRunView, Handler = views.ListAsync };
        yield return new() { Name = "getRun", Method = "GET", Template = "runs/{run}", Policy = Operator, Summary = "Shows a run.", Response = json.RunView, Statuses = [200, 404], Handler = views.GetAsync };
        yield return new() { Name = "startRun", Method = "POST", Template = "runs/{run}/start", Policy = Operator, Summary = "Starts a draft; repeating it changes nothing.", Response = json.RunView, Statuses = [200, 404, 409], Handler = runs.StartAsync };
        yield return Steer("pauseRun", "pause", "Pauses a run at its next round boundary.", runs.PauseAsync);
        yield return Steer("resumeRun", "resume", "Takes a pause back.", runs.ResumeAsync);
        yield return Steer("stopRun", "stop", "Stops a run; an open round is abandoned unless it is sealed already.", runs.StopAsync);
        yield return new() { Name = "recoverRun", Method = "POST", Template = "runs/{run}/recover", Policy = Operator, Summary = "Starts a run's workflow anew from what is stored.", Response = json.RunView, Statuses = [200, 404, 409], Handler = runs.RecoverAsync };
        yield return new() { Name = "deleteRun", Method = "DELETE", Template = "runs/{run}", Policy = Operator, Summary = "Deletes a draft or an ended run; versions it published stay.", Statuses = [204, 404, 409], Handler = deletion.DeleteAsync };
        yield return new() { Name = "listRounds", Method = "GET", Template = "runs/{run}/rounds", Policy = Operator, Summary = "Lists a run's rounds, at most 1000.", Response = json.ListingRoundView, Query = [("after", "Only rounds after this one.")], Statuses = [200, 404], Handler = rounds.ListAsync };
        yield return new() { Name = "getRound", Method = "GET", Template = "runs/{run}/rounds/{round}", Policy = Operator, Summary = "Shows a round.", Response = json.RoundView, Statuses = [200, 404], Handler = rounds.GetAsync };
        yield return new() { Name = "listRoundClients", Method = "GET", Template = "runs/{run}/rounds/{round}/clients", Policy = Operator, Summary = "What each client of a sealed round claims, at most 200.", Response = json.ListingRoundClientView, Query = [("after", "Only clients after this one.")], Statuses = [200, 404, 409], Handler = clients.ListAsync };
        yield return new() { Name = "getRunLog", Method = "GET", Template = "runs/{run}/log", Policy = Operator, Summary = "A page of a run's log, with an ETag; as text/event-stream where the host can hold a connection.", Response = json.LogPage, Query = [("after", "Only entries after this number.")], Statuses = [200, 304, 404], Handler = logs.GetAsync };

        Route Steer(string name, string verb, string summary, Func<RouteCall, CancellationToken, Task<Reply>> handler) => new()
        {
            Name = name,
            Method = "POST",
            Template = $"runs/{{run}}/{verb}",
            Policy = Operator,
            Summary = summary,
            Response = json.RunView,
            Query = [("reason", "For people, at most 200 characters.")],
            Statuses = [200, 404, 409],
            Handler = handler,
        };
    }

    private static IEnumerable<Route> ModelRows(Models.Models models, ModelUploads uploads)
    {
        var json = WireJson.Default;
        yield return new() { Name = "listModels", Method = "GET", Template = "models", Policy = Operator, Summary = "Lists the models, each with the version it serves.", Response = json.ListingVersionView, Handler = models.ListAsync };
        yield return new() { Name = "getModel", Method = "GET", Template = "models/{model}", Policy = Operator, Summary = "Shows the version that a model serves, with a URL of its file.", Response = json.VersionView, Statuses = [200, 404], Handler = models.GetAsync };
        yield return new() { Name = "listVersions", Method = "GET", Template = "models/{model}/versions", Policy = Operator, Summary = "Lists a model's versions.", Response = json.ListingVersionView, Statuses = [200, 404], Handler = models.VersionsAsync };
        yield return new() { Name = "getVersion", Method = "GET", Template = "models/{model}/versions/{version}", Policy = Operator, Summary = "Shows a version, with a URL of its file.", Response = json.VersionView, Statuses = [200, 404], Handler = models.VersionAsync };
        yield return new() { Name = "announceModel", Method = "POST", Template = "models/{model}/uploads", Policy = Operator, Summary = "Gives a URL to upload a first version to.", Request = json.ModelUploadRequest, Response = json.PartUpload, Statuses = [200, 400], ShowsSecret = true, Handler = uploads.AnnounceAsync };
        yield return new() { Name = "createModel", Method = "POST", Template = "models/{model}", Policy = Operator, Summary = "Makes an uploaded file a model's first version.", Request = json.CreateModelRequest, Response = json.VersionView, Statuses = [201, 200, 404, 409, 422], ShowsSecret = true, Handler = uploads.CreateAsync };
        yield return new() { Name = "rollBackModel", Method = "POST", Template = "models/{model}/rollback", Policy = Operator, Summary = "Moves a model's pointer to another of its versions.", Request = json.RollbackRequest, Response = json.VersionView, Statuses = [200, 404, 409], ShowsSecret = true, Handler = models.RollBackAsync };
    }

    private static IEnumerable<Route> PrivacyRows(PrivacyDesk privacy)
    {
        var json = WireJson.Default;
        (string, string)[] report = [("classic", "'true' for the epsilon by the classic conversion too."), ("tight", "'false' to leave out the tight bracket.")];
        yield return new() { Name = "setBudget", Method = "PUT", Template = "populations/{population}/budget", Policy = Operator, Summary = "Sets or changes a population's privacy budget; the same again changes nothing.", Request = json.SetBudgetRequest, Response = json.BudgetView, Statuses = [200, 400, 409], Handler = privacy.SetBudgetAsync };
        yield return new() { Name = "getBudget", Method = "GET", Template = "populations/{population}/budget", Policy = Operator, Summary = "Shows a population's privacy budget and what is left of it.", Response = json.BudgetView, Statuses = [200, 404], Handler = privacy.GetBudgetAsync };
        yield return new() { Name = "getPopulationPrivacy", Method = "GET", Template = "populations/{population}/privacy", Policy = Operator, Summary = "What everything that trained on a population cost, against both adversaries.", Response = json.PrivacyReport, Query = report, Statuses = [200, 404], Handler = privacy.GetPopulationAsync };
        yield return new() { Name = "getLedger", Method = "GET", Template = "populations/{population}/ledger", Policy = Operator, Summary = "A page of a population's privacy ledger, at most 1000 entries.", Response = json.LedgerPage, Query = [("after", "Only entries after this number.")], Statuses = [200, 400, 404], Handler = privacy.GetLedgerAsync };
        yield return new() { Name = "noteInLedger", Method = "POST", Template = "populations/{population}/ledger/notes", Policy = Operator, Summary = "Writes a note into a population's ledger, such as an erasure request; the same again changes nothing.", Request = json.LedgerNoteRequest, Response = json.LedgerNoteView, Statuses = [200, 400, 404], Handler = privacy.NoteAsync };
        yield return new() { Name = "getRunPrivacy", Method = "GET", Template = "runs/{run}/privacy", Policy = Operator, Summary = "What a private run cost, and what it will have cost once it is done.", Response = json.PrivacyReport, Query = report, Statuses = [200, 404], Handler = privacy.GetRunAsync };
        yield return new() { Name = "planPrivacy", Method = "POST", Template = "privacy/plan", Policy = Operator, Summary = "What a private run would cost: takes the body of createRun, stores nothing.", Request = json.CreateRunRequest, Response = json.PrivacyReport, Query = report, Statuses = [200, 400], Handler = PrivacyDesk.PlanAsync };
    }

    private static IEnumerable<Route> ClientRows(ClientDesk clients, AuditViews audit)
    {
        var json = WireJson.Default;
        yield return new() { Name = "listClients", Method = "GET", Template = "clients", Policy = Operator, Summary = "Lists the clients.", Response = json.ListingClientView, Query = [("population", "Only this population's.")], Handler = clients.ListAsync };
        yield return new() { Name = "getClient", Method = "GET", Template = "clients/{client}", Policy = Operator, Summary = "Shows a client.", Response = json.ClientView, Statuses = [200, 404], Handler = clients.GetAsync };
        yield return new() { Name = "revokeClient", Method = "POST", Template = "clients/{client}/revoke", Policy = Operator, Summary = "Shuts a client out until it enrols with a new code.", Response = json.ClientView, Statuses = [200, 404], Handler = clients.RevokeAsync };
        yield return new() { Name = "quarantineClient", Method = "POST", Template = "clients/{client}/quarantine", Policy = Operator, Summary = "Gives a client no work until it is released.", Response = json.ClientView, Query = [("reason", "For people, at most 200 characters.")], Statuses = [200, 400, 404, 409], Handler = clients.QuarantineAsync };
        yield return new() { Name = "releaseClient", Method = "POST", Template = "clients/{client}/release", Policy = Operator, Summary = "Ends a quarantine.", Response = json.ClientView, Statuses = [200, 404, 409], Handler = clients.ReleaseAsync };
        yield return new() { Name = "createEnrolment", Method = "POST", Template = "enrolments", Policy = Operator, Roles = OperatorRoles.Operator | OperatorRoles.Enroller, Summary = "Makes a one-time code.", Request = json.CreateEnrolmentRequest, Response = json.CreateEnrolmentResponse, Statuses = [201, 400], ShowsSecret = true, Handler = clients.CreateCodeAsync };
        yield return new() { Name = "getAudit", Method = "GET", Template = "audit", Policy = Operator, Summary = "A page of a day's audit records.", Response = json.AuditPage, Query = [("day", "The day in UTC as yyyy-MM-dd; today where it is left out."), ("after", "What the page before gave as next.")], Statuses = [200, 400], Handler = audit.GetAsync };
    }

    private static IEnumerable<Route> DeviceRows(ClientDesk clients, CheckIns checkIns, Uploads uploads, Receipts receipts, ClientEvaluations evaluations)
    {
        var json = WireJson.Default;
        yield return new() { Name = "enrol", Method = "POST", Template = "enrol", Policy = DeviceEnrol, Summary = "Turns a one-time code and the device's own key into an identity.", Request = json.EnrolRequest, Response = json.EnrolResponse, Statuses = [200, 403, 409], Handler = clients.EnrolAsync };
        yield return new() { Name = "checkIn", Method = "POST", Template = "check-in", Policy = Device, Summary = "Asks for work; 'Prefer: wait=N' holds the request until there is some, where the host can.", Request = json.CheckInRequest, Response = json.CheckInResponse, InQuarantine = true, Statuses = [200, 403, 426], Handler = checkIns.CheckInAsync };
        yield return new() { Name = "askUploads", Method = "POST", Template = "runs/{run}/rounds/{round}/uploads", Policy = Device, Summary = "Gives URLs for the parts of an update that are not there yet.", Request = json.UploadRequest, Response = json.UploadResponse, Statuses = [200, 400, 403, 404, 409, 410], Handler = uploads.AskAsync };
        yield return new() { Name = "commitReceipt", Method = "POST", Template = "runs/{run}/rounds/{round}/receipts", Policy = Device, Summary = "Commits an uploaded update. 201: certainly in the seal; 202: late, only the seal tells; 200: the same again.", Request = json.Receipt, Response = json.CommitResponse, Statuses = [201, 202, 200, 400, 403, 404, 409, 410], Handler = receipts.CommitAsync };
        yield return new() { Name = "getMyReceipt", Method = "GET", Template = "runs/{run}/rounds/{round}/receipts/mine", Policy = Device, Summary = "What became of the caller's receipt.", Response = json.ReceiptStatus, InQuarantine = true, Handler = receipts.MineAsync };
        yield return new() { Name = "postEvaluation", Method = "POST", Template = "runs/{run}/rounds/{round}/evaluations", Policy = Device, Summary = "Posts an evaluation; the same answers as a receipt.", Request = json.Evaluation, Response = json.CommitResponse, Statuses = [201, 202, 200, 400, 403, 404, 409], Handler = evaluations.PostAsync };
    }

    private IEnumerable<Route> PublicRows(HostReport host, ServerSigner signer)
    {
        yield return new() { Name = "getHealth", Method = "GET", Template = "health", Policy = Public, Summary = "Whether the host is well.", Response = AboutJson.Default.HealthView, Statuses = [200, 503], Handler = host.HealthAsync };
        yield return new() { Name = "getHostVersion", Method = "GET", Template = "version", Policy = Public, Summary = "Which version the host is.", Response = AboutJson.Default.HostVersion, Handler = HostReport.VersionAsync };
        yield return new() { Name = "getKeys", Method = "GET", Template = "keys", Policy = Public, Summary = "The public keys that signed answers are checked with, as a JSON Web Key Set.", Response = AboutJson.Default.SigningKeysView, Statuses = [200, 503], Handler = signer.KeysAsync };
        yield return new() { Name = "getOpenApi", Method = "GET", Template = "openapi.json", Policy = Public, Summary = "This surface as OpenAPI 3.1.", Handler = (_, _) => Task.FromResult(Reply.JsonBytes(_openApi.Value)) };
    }
}
