using FedServerless.Client.Tests.Support;
using FedServerless.Client.Training;
using FedServerless.Privacy;

namespace FedServerless.Client.Tests.Training.LocalPrivacy;

public sealed class DpSgdLedgerTests : IDisposable
{
    private readonly PrivateSite _site = new();

    public void Dispose() => _site.Dispose();

    // The Gaussian's Rényi divergence is α/2z² a step; ε by Balle et al. 2020, theorem 21: worked out here, apart from any accountant.
    [Fact]
    public void Report_StepsWithEveryExample_IsTheClosedForm()
    {
        for (var round = 1; round <= 5; round++)
        {
            _site.Fit(round, training: PrivateSite.OneStep with { Epochs = 2 });
        }

        var report = _site.Report;

        const double Delta = 1e-3;
        var order = report.Order;
        var expected = (10 * order / (2 * 16)) + Math.Log((order - 1) / order) - ((Math.Log(Delta) + Math.Log(order)) / (order - 1));
        Assert.Equal((5, 10L), (report.Rounds, report.Steps));
        Assert.Equal(expected, report.Spent.Epsilon, 1e-9);
        Assert.Equal((PrivacyUnit.Example, PrivacyAdjacency.AddOrRemoveOne, Delta), (report.Unit, report.Adjacency, report.Spent.Delta));
    }

    // PITFALLS 13: composed at each order, whatever the rounds' parameters, and converted once.
    [Fact]
    public void Report_RoundsOfDifferentNoise_IsTheAccountantsTotal()
    {
        _site.Options = _site.Options with { SamplingRate = 0.25, Budget = new PrivacySpend(50, 1e-3) };
        _site.Fit(1);
        _site.Options = _site.Options with { NoiseMultiplier = 2, SamplingRate = 0.5 };
        _site.Fit(2);
        var accountant = new RenyiAccountant();
        accountant.Compose(new RepeatedEvent(new PoissonGaussianEvent(0.25, 4, 12), 4));
        accountant.Compose(new RepeatedEvent(new PoissonGaussianEvent(0.5, 2, 12), 2));

        var report = _site.Report;

        Assert.Equal(accountant.Spend(1e-3), report.Fixed);
        Assert.True(report.Spent.Epsilon >= report.Fixed.Epsilon);
    }

    [Fact]
    public void Charge_UntilTheBudget_AdmitsWhatTheReportSaysAndNotAStepMore()
    {
        var left = _site.Report.StepsLeft;
        for (var round = 1; round <= left; round++)
        {
            _site.Fit(round);
            Assert.Equal(left - round, _site.Report.StepsLeft);
        }

        var entropy = new CountingEntropy();
        var problem = Assert.Throws<PrivacyBudgetSpentException>(() => _site.Fit((int)left + 1, entropy));

        Assert.InRange(left, 2, 100);
        Assert.Equal(0, entropy.Fills);
        Assert.Equal(left, _site.Report.Steps);
        Assert.InRange(_site.Report.Spent.Epsilon, 2, 3);
        Assert.Contains("the budget is ε = 3", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Charge_DeclaredOrder_AdmitsAsManyStepsAsTheBestOneWould()
    {
        var left = _site.Report.StepsLeft;
        var step = new PoissonGaussianEvent(1, 4);
        var best = new RenyiFilter(_site.Options.Budget, FilterAdaptivity.ScheduleFixed, RenyiOrders.Integers);

        Assert.True(best.Admits(RenyiCurve.Zero(RenyiOrders.Integers), new RepeatedEvent(step, left)));
        Assert.False(best.Admits(RenyiCurve.Zero(RenyiOrders.Integers), new RepeatedEvent(step, left + 1)));
    }

    [Fact]
    public void Charge_ThatDoesNotFit_LeavesRoomForOneThatDoes()
    {
        Assert.Throws<PrivacyBudgetSpentException>(() => _site.Fit(training: PrivateSite.OneStep with { Epochs = 1000 }));
        _site.Fit();
        Assert.Equal(1, _site.Report.Steps);
    }

    // Issue 5, figure 5: killed at any step, never under-charged. Entropy is what coins and noise are made of: at its first byte the whole round is on disk.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Fit_KilledAtADraw_HasChargedTheWholeRoundBefore(int fill)
    {
        var training = PrivateSite.OneStep with { Epochs = 3 };
        Assert.Throws<InvalidOperationException>(() => _site.Fit(entropy: new CountingEntropy(fill), training: training));
        Assert.Equal(3, _site.Report.Steps);
    }

    [Fact]
    public void Fit_CancelledAndRepeated_IsChargedTwice()
    {
        Assert.Throws<OperationCanceledException>(() => _site.Fit(token: new CancellationToken(canceled: true)));
        _site.Fit();

        var report = _site.Report;

        Assert.Equal((2, 2L), (report.Rounds, report.Steps));
        Assert.Equal([new DpSgdRunSpend("run", 2, 2, report.Spent)], report.Runs);
    }

    // Killed while the charge is written, at any byte: the round was not begun, and all before it stays charged.
    [Fact]
    public void Charge_CutOffAtAnyByte_KeepsAllBeforeItAndGoesOn()
    {
        _site.Fit(1);
        var before = File.ReadAllBytes(_site.LedgerFile);
        _site.Fit(2);
        var after = File.ReadAllBytes(_site.LedgerFile);
        foreach (var length in Enumerable.Range(0, 5).Concat(Enumerable.Range(before.Length - 3, after.Length - before.Length + 3)))
        {
            File.WriteAllBytes(_site.LedgerFile, after[..length]);
            var rounds = _site.Report.Rounds;
            _site.Fit(3);

            Assert.Equal(length < before.Length ? 0 : 1, rounds);
            Assert.Equal(rounds + 1, _site.Report.Rounds);
        }
    }

    [Fact]
    public void Charge_AnyByteChanged_StopsAndSaysWhere()
    {
        _site.Fit(1);
        _site.Fit(2);
        var whole = File.ReadAllBytes(_site.LedgerFile);
        for (var at = 0; at < whole.Length - 1; at++)
        {
            var bent = (byte[])whole.Clone();
            bent[at] ^= 1;
            File.WriteAllBytes(_site.LedgerFile, bent);

            Assert.Contains("line", Assert.Throws<InvalidDataException>(() => _site.Fit(3)).Message, StringComparison.Ordinal);
            Assert.Throws<InvalidDataException>(() => _site.Report);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Charge_ALineTakenOut_IsFoundUnlessItWasTheLast(int line)
    {
        _site.Fit(1);
        _site.Fit(2);
        _site.Fit(3);
        var lines = File.ReadAllText(_site.LedgerFile).Split('\n').ToList();
        lines.RemoveAt(line);
        File.WriteAllText(_site.LedgerFile, string.Join('\n', lines));

        Assert.Throws<InvalidDataException>(() => _site.Fit(4));
    }

    [Fact]
    public void Charge_AnotherDelta_IsRefused()
    {
        _site.Fit();
        _site.Options = _site.Options with { Budget = new PrivacySpend(100, 1e-4) };
        Assert.Contains("chosen once", Assert.Throws<InvalidDataException>(() => _site.Fit()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Charge_SomethingElseIsInTheFile_IsRefused()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_site.LedgerFile)!);
        File.WriteAllText(_site.LedgerFile, "a diary\n");
        Assert.Throws<InvalidDataException>(() => _site.Fit());
        Assert.Equal("a diary\n", File.ReadAllText(_site.LedgerFile));
    }

    [Fact]
    public void Charge_AnotherProcessHasIt_IsRefused()
    {
        _site.Fit();
        using var held = new FileStream(_site.LedgerFile, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        Assert.Throws<IOException>(() => _site.Fit());
    }

    // Two trainers race for the last of the budget; who does not get the file is refused too.
    [Fact]
    public void Charge_ManyAtOnce_NeverPassTheBudget()
    {
        var left = _site.Report.StepsLeft;
        var granted = 0;
        Parallel.For(0, (2 * (int)left) + 20, round =>
        {
            try
            {
                new DpSgd(_site.Options).Fit(new QuadraticModel(1, [1f]), new QuadraticModel(1, [1f]).State(0), PrivateSite.OneStep, "run", round);
                Interlocked.Increment(ref granted);
            }
            catch (Exception problem) when (problem is IOException or PrivacyBudgetSpentException)
            {
            }
        });

        Assert.Equal(granted, _site.Report.Steps);
        Assert.InRange(granted, 1, left);
    }

    [Fact]
    public void Ledger_OnUnix_IsItsUsersAlone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no modes.");
        _site.Fit();
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_site.LedgerFile));
        }
    }

    [Fact]
    public void Report_LargeDelta_Warns()
    {
        _site.Options = _site.Options with { Budget = new PrivacySpend(3, 0.2) };
        Assert.Contains(_site.Report.Warnings, warning => warning.Contains("a tenth", StringComparison.Ordinal));
        Assert.Empty((_site.Options = _site.Options with { Budget = new PrivacySpend(3, 0.02) }, _site.Report).Item2.Warnings);
    }

    private sealed class CountingEntropy(int throwAt = -1) : EntropySource
    {
        private readonly SeededEntropy _bytes = new(5);

        public int Fills { get; private set; }

        public override void Fill(Span<byte> destination)
        {
            if (Fills++ == throwAt)
            {
                throw new InvalidOperationException("Killed.");
            }

            _bytes.Fill(destination);
        }
    }
}
