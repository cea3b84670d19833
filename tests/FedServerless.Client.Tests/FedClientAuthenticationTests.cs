using System.Net;
using FedServerless.Client.Tests.Support;
using FedServerless.Wire;

namespace FedServerless.Client.Tests;

public sealed class FedClientAuthenticationTests
{
    [Theory]
    [InlineData(-24.0)]
    [InlineData(24.0)]
    [InlineData(-87_600.0)]
    public async Task RunOnceAsync_ClockWrong_LearnsTheServersTime(double hours)
    {
        using var device = new Device();
        device.Clock.Misset(TimeSpan.FromHours(hours));

        await device.StepAsync();

        device.AssertCommitted();
    }

    [Fact]
    public async Task RunOnceAsync_ClockSetWhileRunning_LearnsAnew()
    {
        using var device = new Device();
        device.Clock.Misset(TimeSpan.FromDays(-3));
        await device.StepAsync();
        device.Clock.Misset(TimeSpan.Zero);
        device.Offer(device.Lease with { Round = 2 });
        device.Server.Receipts.Clear();

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.Committed, step.Outcome);
    }

    [Fact]
    public async Task RunOnceAsync_NoncesKnown_AsksOncePerRequest()
    {
        using var device = new Device();
        await device.StepAsync();
        device.Server.Log.Clear();
        device.Offer((TrainLease?)null);

        await device.StepAsync();

        Assert.Equal(["POST check-in"], device.Server.Log);
    }

    [Theory]
    [InlineData("/problems/nonce")]
    [InlineData("/problems/clock")]
    public async Task RunOnceAsync_EndlessChallenges_StopsAfterAFew(string type)
    {
        using var device = new Device();
        await device.OnAsync();
        device.Server.Log.Clear();
        device.Server.Rewrite = (_, _) => FakeServer.Json(
            HttpStatusCode.Unauthorized,
            new ProblemDetails(type, "challenge", 401, ServerTime: device.Clock.True),
            WireJson.Default.ProblemDetails);

        var problem = await Assert.ThrowsAsync<FedClientException>(() => device.StepAsync());

        Assert.Equal(401, problem.Status);
        Assert.Equal(5, device.Server.Log.Count);
    }

    [Fact]
    public async Task RunOnceAsync_ClockProblemWithoutTime_IsNotRepeated()
    {
        using var device = new Device();
        await device.OnAsync();
        device.Server.Log.Clear();
        device.Server.Rewrite = (_, _) => FakeServer.Json(
            HttpStatusCode.Unauthorized, new ProblemDetails("/problems/clock", "clock", 401), WireJson.Default.ProblemDetails);

        await Assert.ThrowsAsync<FedClientException>(() => device.StepAsync());

        Assert.Single(device.Server.Log);
    }

    [Theory]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(513)]
    public async Task RunOnceAsync_NonceAroundTheLimit_RepeatedUpToIt(int length)
    {
        using var device = new Device();
        device.Server.RequireNonce = false;
        var seen = new List<string>();
        device.Options = device.Options with { HttpHandler = new NonceHandler(device.Server, new string('x', length), seen) };

        await device.StepAsync();

        Assert.Equal(length <= 512 ? new string('x', length) : "", seen[^1]);
    }

    [Fact]
    public async Task RunAsync_Revoked_ThrowsWhatToDo()
    {
        using var device = new Device();
        var client = await device.OnAsync();
        device.Server.Rewrite = (_, _) => FakeServer.Json(
            HttpStatusCode.Forbidden, new ProblemDetails("/problems/revoked", "Revoked", 403, "enrol again"), WireJson.Default.ProblemDetails);

        var problem = await Assert.ThrowsAsync<FedClientException>(() => client.RunAsync(device.Trainer));

        Assert.Contains("enrol again", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_RevokedBetweenTrainingAndCommit_Throws()
    {
        using var device = new Device();
        var client = await device.OnAsync();
        device.Server.Rewrite = (name, response) => name.EndsWith("/receipts", StringComparison.Ordinal)
            ? FakeServer.Json(HttpStatusCode.Forbidden, new ProblemDetails("/problems/revoked", "Revoked", 403), WireJson.Default.ProblemDetails)
            : response;

        await Assert.ThrowsAsync<FedClientException>(() => client.RunAsync(device.Trainer));
    }

    private sealed class NonceHandler(HttpMessageHandler inner, string nonce, List<string> seen) : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Headers.Contains("Authorization"))
            {
                seen.Add(ProofCheck.Read(request).Nonce);
            }

            var response = await base.SendAsync(request, cancellationToken);
            response.Headers.Remove("Fed-Nonce");
            response.Headers.TryAddWithoutValidation("Fed-Nonce", nonce);
            return response;
        }
    }
}
