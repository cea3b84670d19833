using System.Net;
using FedServerless.Client.Tests.Support;
using FedServerless.Wire;

namespace FedServerless.Client.Tests;

public sealed class FedClientRoundTests
{
    // PITFALLS 39: a delta against the round's model, never weights.
    [Fact]
    public async Task RunOnceAsync_Selected_CommitsTheTrainedUpdate()
    {
        using var device = new Device();

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.Committed, step.Outcome);
        Assert.Equal(TimeSpan.Zero, step.Pause);
        Assert.Equal(1, device.Fits);
        device.AssertCommitted();
    }

    [Fact]
    public async Task RunOnceAsync_Selected_SendsNothingTwice()
    {
        using var device = new Device();

        await device.StepAsync();

        var update = device.Server.Receipts[0].HeaderDigest;
        string[] expected =
        [
            "POST enrol", "POST enrol", "POST check-in", "POST check-in", "GET /models/1", "POST runs/digits/rounds/1/uploads",
            $"PUT /store/sensor-7/{update}/-1", $"PUT /store/sensor-7/{update}/0", "POST runs/digits/rounds/1/receipts",
        ];
        Assert.Equal(expected, device.Server.Log);
    }

    [Fact]
    public async Task RunOnceAsync_Selected_CountsModelAndUpdateBytes()
    {
        using var device = new Device();
        var client = await device.OnAsync();

        await device.StepAsync();

        Assert.Equal(device.ModelBytes.Length, client.BytesDown);
        Assert.Equal(device.Server.Receipts[0].Bytes, client.BytesUp);
    }

    [Fact]
    public async Task RunOnceAsync_Selected_ReportsEveryStepInOrder()
    {
        using var device = new Device();

        await device.StepAsync();

        var names = device.Events.Select(happened => happened.GetType().Name).ToArray();
        Assert.Equal(["CheckedIn", "Downloaded", "Fitted", "Uploading", "Uploading", "Committed"], names);
        var uploads = device.Events.OfType<Uploading>().ToArray();
        Assert.Equal(device.Server.Receipts[0].Bytes, uploads[^1].Bytes);
        Assert.Equal(uploads[^1].TotalBytes, uploads[^1].Bytes);
    }

    [Fact]
    public async Task RunOnceAsync_ManyParts_CommitsTheTrainedUpdate()
    {
        using var device = new Device(parameters: 140_000);

        await device.StepAsync();

        Assert.Equal(4, device.Server.Store.Count);
        device.AssertCommitted();
    }

    [Theory]
    [InlineData("float16")]
    [InlineData("int8")]
    public async Task RunOnceAsync_OtherCodec_CommitsAnUpdateInThatCodec(string codec)
    {
        using var device = new Device();
        device.Offer(device.Lease = device.Lease with { Update = device.Lease.Update with { Codec = codec } });

        await device.StepAsync();

        Assert.True(device.Server.Receipts[0].Bytes < device.ModelBytes.Length * 0.6);
    }

    [Fact]
    public async Task RunOnceAsync_ServerAnswersLate_StepIsLate()
    {
        using var device = new Device();
        device.Server.CommitStatus = HttpStatusCode.Accepted;

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.Late, step.Outcome);
        Assert.Equal("late", Assert.Single(device.Events.OfType<Committed>()).State);
    }

    [Fact]
    public async Task RunOnceAsync_AnotherReceiptStands_GivesUpForGood()
    {
        using var device = new Device();
        device.Server.CommitStatus = HttpStatusCode.Conflict;

        var first = await device.StepAsync();
        device.Off();
        var second = await device.StepAsync();

        Assert.Equal(FedStepOutcome.GaveUp, first.Outcome);
        Assert.Contains("409", first.Reason, StringComparison.Ordinal);
        Assert.Equal(FedStepOutcome.Repeated, second.Outcome);
        Assert.Equal(1, device.Fits);
        Assert.Single(device.Server.Log, "POST runs/digits/rounds/1/receipts");
    }

    [Fact]
    public async Task RunOnceAsync_Committed_KeepsOnlyTheSettlement()
    {
        using var device = new Device();

        await device.StepAsync();

        Assert.Equal("settled.json", Path.GetFileName(Assert.Single(device.FilesIn("rounds"))));
    }

    [Fact]
    public async Task RunOnceAsync_LeaseRepeatedAfterCommit_NeitherTrainsNorCommitsAgain()
    {
        using var device = new Device();
        await device.StepAsync();

        var pauses = new List<TimeSpan>();
        for (var i = 0; i < 10; i++)
        {
            var step = await device.StepAsync();
            Assert.Equal(FedStepOutcome.Repeated, step.Outcome);
            pauses.Add(step.Pause);
        }

        Assert.Equal(1, device.Fits);
        Assert.Single(device.Server.Receipts);

        // 250 ms · 2^n up to 30 s, and an eighth more: a quarter of jitter, and the jitter here is ½.
        Assert.Equal(TimeSpan.FromMilliseconds(250 * 1.125), pauses[0]);
        Assert.Equal(TimeSpan.FromMilliseconds(500 * 1.125), pauses[1]);
        Assert.Equal(TimeSpan.FromSeconds(30 * 1.125), pauses[^1]);
    }

    [Fact]
    public async Task RunOnceAsync_ServerForgotTheReceipt_TakesPartAnew()
    {
        using var device = new Device();
        await device.StepAsync();
        device.Server.Receipts.Clear();
        device.Server.Store.Clear();

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.Committed, step.Outcome);
        device.AssertCommitted();
    }

    [Fact]
    public async Task RunOnceAsync_NoWork_PausesAsAskedAndALittleMore()
    {
        using var device = new Device();
        device.Offer((TrainLease?)null);

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.NoWork, step.Outcome);
        Assert.Equal(TimeSpan.FromSeconds(30 * 1.125), step.Pause);
        Assert.Equal("wait=60", device.Server.LastPrefer);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(-5, 1)]
    [InlineData(1e300, 86_400)]
    public async Task RunOnceAsync_AbsurdRetryAfter_PauseStaysWithinBounds(double asked, double expected)
    {
        using var device = new Device();
        device.Server.CheckIns.Clear();
        device.Server.CheckIns.Enqueue(new CheckInResponse { RetryAfterSeconds = asked });

        var step = await device.StepAsync();

        Assert.Equal(TimeSpan.FromSeconds(expected * 1.125), step.Pause);
    }

    [Fact]
    public async Task RunOnceAsync_ServerHeldTheCheckIn_ReturnsAtOnce()
    {
        using var device = new Device();
        device.Server.CheckIns.Clear();
        device.Server.CheckIns.Enqueue(new CheckInResponse());
        device.Server.Rewrite = (_, response) =>
        {
            device.Clock.Advance(TimeSpan.FromSeconds(60));
            return response;
        };

        var step = await device.StepAsync();

        Assert.Equal(TimeSpan.Zero, step.Pause);
    }

    [Fact]
    public async Task RunOnceAsync_NewerProtocol_SaysToUpdate()
    {
        using var device = new Device();
        device.Server.CheckIns.Clear();
        device.Server.CheckIns.Enqueue(new CheckInResponse { MinimumApiVersion = 2 });

        var problem = await Assert.ThrowsAsync<FedClientException>(() => device.StepAsync());

        Assert.Contains("Update the FedServerless.Client package", problem.Message, StringComparison.Ordinal);
        Assert.False(problem.IsTransient);
    }

    [Fact]
    public async Task RunOnceAsync_ReportOutcomes_TellsWhatBecameOfTheLastUpdate()
    {
        using var device = new Device();
        device.Options = device.Options with { ReportOutcomes = true };
        device.Offer(device.Lease, device.Lease with { Round = 2 });
        await device.StepAsync();
        device.Server.ReceiptState = "included";

        await device.StepAsync();

        Assert.Equal(new OutcomeKnown("digits", 1, "included", null), Assert.Single(device.Events.OfType<OutcomeKnown>()));
    }

    [Fact]
    public async Task GetReceiptStatusAsync_KnownRound_ReturnsTheServersWord()
    {
        using var device = new Device();
        var client = await device.OnAsync();
        device.Server.ReceiptState = "excluded";

        var status = await client.GetReceiptStatusAsync("digits", 1);

        Assert.Equal("excluded", status.State);
        Assert.Equal("GET runs/digits/rounds/1/receipts/mine", device.Server.Log[^1]);
    }

    [Fact]
    public async Task RunOnceAsync_UnknownFieldsInAnswers_PassedOver()
    {
        using var device = new Device();
        device.Server.Rewrite = (name, response) =>
        {
            if (name.StartsWith("POST", StringComparison.Ordinal))
            {
                var json = response.Content.ReadAsStringAsync().Result;
                response.Content = new StringContent(json.Insert(1, "\"aFieldOfTheFuture\":{\"deep\":[1,2,{}]},"));
            }

            return response;
        };

        await device.StepAsync();

        device.AssertCommitted();
    }
}
