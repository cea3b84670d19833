using System.Net;
using FedServerless.Client.Tests.Support;
using FedServerless.Wire;

namespace FedServerless.Client.Tests;

public sealed class FedClientUploadTests
{
    [Fact]
    public async Task RunOnceAsync_PutAnswerLost_AsksWhatIsMissingAndCommits()
    {
        using var device = new Device();
        var once = false;
        device.Server.FaultAt = (_, name) => name.EndsWith("/0", StringComparison.Ordinal) && !once && (once = true) ? new Fault.LoseAnswer() : null;

        await device.StepAsync();

        device.AssertCommitted();
        Assert.Equal(2, device.Server.Log.Count(name => name == "POST runs/digits/rounds/1/uploads"));
    }

    [Theory]
    [InlineData(HttpStatusCode.Forbidden)]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.BadRequest)]
    [InlineData(HttpStatusCode.PreconditionFailed)]
    public async Task RunOnceAsync_OnePutRefused_FindsAWayAndCommits(HttpStatusCode status)
    {
        using var device = new Device();
        var once = false;
        device.Server.FaultAt = (_, name) => name.EndsWith("/-1", StringComparison.Ordinal) && !once && (once = true) ? new Fault.Answer(status) : null;

        await device.StepAsync();

        device.AssertCommitted();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task RunOnceAsync_ServerNamesAFewPartsAtATime_UploadsThemAll(int page)
    {
        using var device = new Device(parameters: 140_000);
        device.Server.UploadPage = page;

        await device.StepAsync();

        device.AssertCommitted();
    }

    [Theory]
    [InlineData(HttpStatusCode.Conflict)]
    [InlineData(HttpStatusCode.Forbidden)]
    public async Task RunOnceAsync_StoreNeverTakesAPart_GivesUpAfterAFewAsks(HttpStatusCode status)
    {
        using var device = new Device();
        device.Server.FaultAt = (_, name) => name.StartsWith("PUT", StringComparison.Ordinal) ? new Fault.Answer(status) : null;

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.GaveUp, step.Outcome);
        Assert.Equal(4, device.Server.Log.Count(name => name == "POST runs/digits/rounds/1/uploads"));
        Assert.Empty(device.Server.Receipts);
    }

    [Fact]
    public async Task RunOnceAsync_StoreRefusesForGood_GivesUp()
    {
        using var device = new Device();
        device.Server.FaultAt = (_, name) => name.StartsWith("PUT", StringComparison.Ordinal) ? new Fault.Answer(HttpStatusCode.RequestEntityTooLarge) : null;

        var step = await device.StepAsync();

        Assert.Contains("413", step.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-2, "PUT", "/store/x")]
    [InlineData(1, "PUT", "/store/x")]
    [InlineData(0, "DELETE", "/store/x")]
    [InlineData(0, "PUT", "//elsewhere.test/x")]
    [InlineData(0, "PUT", "file:///etc/passwd")]
    [InlineData(0, "PUT", "http://user:secret@fed.test/x")]
    public async Task RunOnceAsync_AbsurdUploadRequest_GivesUpAndSendsNothing(int part, string method, string url)
    {
        using var device = new Device();
        device.Server.Rewrite = (name, response) => name.EndsWith("/uploads", StringComparison.Ordinal)
            ? FakeServer.Json(
                HttpStatusCode.OK,
                new UploadResponse([new PartUpload(part, method, url, new Dictionary<string, string>())]),
                WireJson.Default.UploadResponse)
            : response;

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.GaveUp, step.Outcome);
        Assert.DoesNotContain(device.Server.Log, name => name.StartsWith("PUT", StringComparison.Ordinal) || name.StartsWith("DELETE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task RunOnceAsync_ServerSetsTheClientsOwnHeaders_TheyAreIgnored()
    {
        using var device = new Device();
        var headers = new Dictionary<string, string>
        {
            ["Authorization"] = "stolen",
            ["host"] = "elsewhere",
            ["Content-MD5"] = "AAAAAAAAAAAAAAAAAAAAAA==",
            ["If-None-Match"] = "*",
        };
        device.Server.Rewrite = (name, response) =>
        {
            if (!name.EndsWith("/uploads", StringComparison.Ordinal))
            {
                return response;
            }

            var answer = System.Text.Json.JsonSerializer.Deserialize(response.Content.ReadAsStringAsync().Result, WireJson.Default.UploadResponse)!;
            return FakeServer.Json(
                HttpStatusCode.OK,
                new UploadResponse([.. answer.Missing.Select(upload => upload with { Headers = headers })]),
                WireJson.Default.UploadResponse);
        };

        await device.StepAsync();

        // The fake store refuses a proof at a pre-signed URL and a wrong MD5.
        device.AssertCommitted();
    }

    [Fact]
    public async Task RunOnceAsync_CommitAnswerLost_SendsTheSameReceiptAgain()
    {
        using var device = new Device();
        var once = false;
        device.Server.FaultAt = (_, name) => name.EndsWith("/receipts", StringComparison.Ordinal) && !once && (once = true) ? new Fault.LoseAnswer() : null;

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.Committed, step.Outcome);
        Assert.Equal(2, device.Server.Receipts.Count);
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest)]
    [InlineData(HttpStatusCode.Forbidden)]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.Gone)]
    [InlineData(HttpStatusCode.UnprocessableEntity)]
    public async Task RunOnceAsync_CommitRefused_IsNotSentAgain(HttpStatusCode status)
    {
        using var device = new Device();
        device.Server.FaultAt = (_, name) => name.EndsWith("/receipts", StringComparison.Ordinal) ? new Fault.Answer(status) : null;

        var step = await device.StepAsync();
        await device.StepAsync();

        Assert.Equal(FedStepOutcome.GaveUp, step.Outcome);
        Assert.Single(device.Server.Log, "POST runs/digits/rounds/1/receipts");
    }

    [Fact]
    public async Task RunOnceAsync_StoreLostAnAcknowledgedPart_UploadsItAgain()
    {
        using var device = new Device();
        var once = false;
        device.Server.Rewrite = (name, response) =>
        {
            if (once || !name.EndsWith("/receipts", StringComparison.Ordinal))
            {
                return response;
            }

            once = true;
            device.Server.Receipts.Clear();
            device.Server.Store.Remove(device.Server.Store.Keys.Single(path => path.EndsWith("/0", StringComparison.Ordinal)));
            return Refuse("/problems/incomplete-upload");
        };

        await device.StepAsync();

        device.AssertCommitted();
        Assert.Equal(1, device.Fits);
    }

    [Theory]
    [InlineData("/problems/incomplete-upload", 3)]
    [InlineData("/problems/wrong-state", 1)]
    public async Task RunOnceAsync_CommitTooEarly_KeepsTheUpdateForTheNextStep(string type, int commits)
    {
        using var device = new Device();
        device.Server.Rewrite = (name, response) =>
        {
            if (!name.EndsWith("/receipts", StringComparison.Ordinal))
            {
                return response;
            }

            device.Server.Receipts.Clear();
            return Refuse(type);
        };

        var problem = await Assert.ThrowsAsync<FedClientException>(() => device.StepAsync());
        Assert.Equal(commits, device.Server.Log.Count(name => name.EndsWith("/receipts", StringComparison.Ordinal)));
        device.Server.Rewrite = (_, response) => response;
        await device.StepAsync();

        Assert.True(problem.IsTransient);
        device.AssertCommitted();
        Assert.Equal(1, device.Fits);
    }

    [Fact]
    public async Task RunOnceAsync_ServerFailsUntilTheDeadline_StopsAndKeepsTheUpdate()
    {
        using var device = new Device();
        device.Options = device.Options with { MaxAttempts = 100 };
        device.Server.FaultAt = (_, name) => name.EndsWith("/receipts", StringComparison.Ordinal) ? new Fault.Answer(HttpStatusCode.InternalServerError) : null;

        var problem = await Assert.ThrowsAsync<FedClientException>(() => device.StepAsync());

        Assert.True(problem.IsTransient);
        Assert.True(device.Pauses.Aggregate(TimeSpan.Zero, (sum, pause) => sum + pause) < TimeSpan.FromSeconds(600));
        Assert.Contains(device.FilesIn("rounds"), path => path.EndsWith("payload", StringComparison.Ordinal));
    }

    private static HttpResponseMessage Refuse(string type) =>
        FakeServer.Json(HttpStatusCode.Conflict, new ProblemDetails(type, "refused", 409), WireJson.Default.ProblemDetails);
}
