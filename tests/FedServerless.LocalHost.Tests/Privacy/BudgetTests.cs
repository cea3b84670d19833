using FedServerless.Activities.State;
using FedServerless.LocalHost.Tests.Gateway;
using FedServerless.Privacy;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Privacy;

public sealed class BudgetTests : IDisposable
{
    private readonly GatewayBench _bench = new();

    [Fact]
    public async Task SetBudget_First_HoldsWithItsDefaults()
    {
        var view = await _bench.BudgetAsync();

        Assert.Equal((3.0, 1e-5, 1000L), (view.Standing.Budget.Epsilon, view.Standing.Budget.Delta, view.Standing.Budget.Clients));
        Assert.Equal((PrivacyAdversary.ModelHolder, FilterAdaptivity.Adaptive), (view.Standing.Budget.Adversary, view.Standing.Budget.Adaptivity));
        Assert.Equal((0.0, 0.0, 1.0, 1L), (view.Standing.SpentRatio, view.Standing.Epsilon, view.Standing.LeftRatio, view.Entries));
        Assert.Empty(view.Warnings);
    }

    [Fact]
    public async Task SetBudget_NoDelta_IsATenthOfOneOverN()
    {
        var answer = await _bench.SetBudgetAsync("""{"epsilon":1,"clients":1000}""");

        Assert.Equal(1e-4, answer.Read(WireJson.Default.BudgetView).Standing.Budget.Delta);
    }

    [Fact]
    public async Task SetBudget_SameAgain_WritesNothing()
    {
        await _bench.BudgetAsync();

        Assert.Equal(1, (await _bench.BudgetAsync()).Entries);
    }

    // PITFALLS 17: a delta of 1/N promises nothing.
    [Theory]
    [InlineData("""{"epsilon":1,"clients":1000,"delta":1e-3}""", "delta")]
    [InlineData("""{"epsilon":1,"clients":1000,"delta":0}""", "delta")]
    [InlineData("""{"epsilon":0,"clients":1000}""", "epsilon")]
    [InlineData("""{"epsilon":100.1,"clients":1000}""", "epsilon")]
    [InlineData("""{"epsilon":1,"clients":0}""", "clients")]
    [InlineData("""{"epsilon":1,"clients":1000,"adversary":"nobody"}""", "adversary")]
    [InlineData("""{"epsilon":1,"clients":1000,"adaptivity":"never"}""", "adaptivity")]
    [InlineData("""{"epsilon":1,"clients":1000,"order":1}""", "order")]
    [InlineData("""{"epsilon":1,"clients":1000,"planned":{"samplingRate":0,"noiseMultiplier":1}}""", "planned.samplingRate")]
    [InlineData("""{"epsilon":1,"clients":1000,"planned":{"samplingRate":1,"noiseMultiplier":0}}""", "planned.noiseMultiplier")]
    [InlineData("""{"epsilon":1,"clients":1000,"adversry":"cohortObserver"}""", "adversry")]
    [InlineData("""{"epsilon":1}""", "clients")]
    public async Task SetBudget_BadNumber_IsRefusedByName(string json, string field)
    {
        var answer = await _bench.SetBudgetAsync(json);

        Assert.Equal(400, answer.Status);
        Assert.Contains(field, answer.Problem().Problems!.Select(problem => problem.Field));
        Assert.DoesNotContain(_bench.Disk.Names, name => name.StartsWith("ledger/", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(9.999e-4, true)]
    [InlineData(1.001e-4, true)]
    [InlineData(1e-4, false)]
    public async Task SetBudget_DeltaAboveATenthOfOneOverN_IsWarnedOf(double delta, bool isWarned)
    {
        var answer = await _bench.SetBudgetAsync(FormattableString.Invariant($$"""{"epsilon":1,"clients":1000,"delta":{{delta}}}"""));

        Assert.Equal(isWarned ? 1 : 0, answer.Read(WireJson.Default.BudgetView).Warnings.Count);
    }

    [Fact]
    public async Task SetBudget_FewerDeclaredThanEnrolled_JudgesDeltaByThoseEnrolled()
    {
        using var alice = await _bench.DeviceAsync("alice");
        using var bob = await _bench.DeviceAsync("bob");

        var answer = await _bench.SetBudgetAsync("""{"epsilon":1,"clients":1,"delta":0.5}""");

        Assert.Equal(400, answer.Status);
        Assert.Contains("2 clients are enrolled", answer.Problem().Problems!.Single().Expected, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SetBudget_RaisedWithoutReason_IsRefused()
    {
        await _bench.BudgetAsync();

        var answer = await _bench.SetBudgetAsync("""{"epsilon":4,"clients":1000,"delta":1e-5}""");

        Assert.Equal((400, "reason"), (answer.Status, answer.Problem().Problems!.Single().Field));
    }

    [Fact]
    public async Task SetBudget_Raised_StandsInEveryReport()
    {
        await _bench.BudgetAsync();
        await _bench.BudgetAsync(4);

        var report = (await _bench.OperateAsync("getPopulationPrivacy", $"{PrivacyBench.Population}/privacy")).Read(WireJson.Default.PrivacyReport);

        Assert.Contains(report.Leaks, leak => leak.Kind == PrivacyLeaks.BudgetRaised && leak.What.Contains("a test", StringComparison.Ordinal));
    }

    [Fact]
    public async Task SetBudget_LoweredBelowWhatIsSpent_AdmitsNothingMore()
    {
        await _bench.BudgetAsync();
        await _bench.ReserveAsync("old", 100, charge: true);

        var view = await _bench.BudgetAsync(1);

        Assert.True(view.Standing.SpentRatio > 1);
        Assert.Equal(0, view.Standing.LeftRatio);
        Assert.Equal("/problems/budget-spent", (await _bench.CreateAsync(PrivacyBench.Private)).Problem().Type);
    }

    [Fact]
    public async Task SetBudget_OrderAfterAReservation_StaysAsDeclared()
    {
        var declared = (await _bench.BudgetAsync()).Standing.Budget.Order;
        await _bench.ReserveAsync("old", 1);

        var moved = await _bench.SetBudgetAsync("""{"epsilon":2,"clients":1000,"delta":1e-5,"order":40}""");
        var lowered = await _bench.BudgetAsync(2);

        Assert.Equal(400, moved.Status);
        Assert.Equal(declared, lowered.Standing.Budget.Order);
    }

    [Fact]
    public async Task SetBudget_AdaptiveToScheduleFixedAfterAReservation_IsRefused()
    {
        await _bench.BudgetAsync();
        await _bench.ReserveAsync("old", 1);

        Assert.Equal(400, (await _bench.SetBudgetAsync("""{"epsilon":2,"clients":1000,"delta":1e-5,"adaptivity":"scheduleFixed"}""")).Status);
    }

    [Fact]
    public async Task SetBudget_RunWithoutPrivacyActive_IsRefused()
    {
        await _bench.CreateAsync(PrivacyBench.Plain);
        await _bench.OperateAsync("startRun", "runs/r/start");

        var answer = await _bench.SetBudgetAsync("""{"epsilon":1,"clients":1000,"acknowledgeUnaccounted":true}""");

        Assert.Equal((409, "/problems/wrong-state"), (answer.Status, answer.Problem().Type));
    }

    [Fact]
    public async Task SetBudget_RunWithoutPrivacyEnded_NeedsAnAcknowledgement()
    {
        await EndPlainRunAsync();

        var silent = await _bench.SetBudgetAsync("""{"epsilon":1,"clients":1000}""");
        var knowing = await _bench.SetBudgetAsync("""{"epsilon":1,"clients":1000,"acknowledgeUnaccounted":true}""");

        Assert.Equal((409, "/problems/unaccounted-runs"), (silent.Status, silent.Problem().Type));
        Assert.Contains(knowing.Read(WireJson.Default.BudgetView).Warnings, warning => warning.Contains("not in these numbers: r (", StringComparison.Ordinal));
    }

    [Fact]
    public async Task SetBudget_RunWithoutPrivacyEndedWithNothingPublished_IsNoObstacle()
    {
        await EndPlainRunAsync(published: 0);

        Assert.Equal(200, (await _bench.SetBudgetAsync("""{"epsilon":1,"clients":1000}""")).Status);
    }

    [Fact]
    public async Task SetBudget_RunWithoutPrivacyDeleted_StillNeedsAnAcknowledgement()
    {
        await EndPlainRunAsync();
        _bench.Workflows.Phase = Workflows.Engine.WorkflowPhase.Completed;
        Assert.Equal(204, (await _bench.OperateAsync("deleteRun", "runs/r")).Status);

        Assert.Equal("/problems/unaccounted-runs", (await _bench.SetBudgetAsync("""{"epsilon":1,"clients":1000}""")).Problem().Type);
    }

    [Fact]
    public async Task SetBudget_DraftWithoutPrivacy_IsNoObstacleAndCannotBeStarted()
    {
        await _bench.CreateAsync(PrivacyBench.Plain);
        await _bench.BudgetAsync();

        var answer = await _bench.OperateAsync("startRun", "runs/r/start");

        Assert.Equal((409, "/problems/private-population"), (answer.Status, answer.Problem().Type));
        Assert.DoesNotContain(StoreNames.RunStarted("r"), _bench.Disk.Names);
    }

    [Fact]
    public async Task GetBudget_None_IsNotFound() =>
        Assert.Equal(404, (await _bench.OperateAsync("getBudget", $"{PrivacyBench.Population}/budget")).Status);

    public void Dispose() => _bench.Dispose();

    private async Task EndPlainRunAsync(int published = 3)
    {
        await _bench.CreateAsync(PrivacyBench.Plain);
        await _bench.OperateAsync("startRun", "runs/r/start");
        await _bench.Disk.PutAsync(
            StoreNames.RunOutcome("r"), new RunOutcomeDocument(RunStates.Completed, null, 3, published, "r-r3"), StoreJson.Default.RunOutcomeDocument,
            PutCondition.CreateOnce, CancellationToken.None);
    }
}
