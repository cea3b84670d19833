using FedServerless.Core.Tests.Oracles;
using FedServerless.Privacy;

namespace FedServerless.Core.Tests.Privacy;

public class CanaryAuditTests
{
    // mpmath at 40 digits (make_audit.py).
    [Fact]
    public void Bounds_KnownGuesses_AreMpmaths() => Assert.All(Oracle.Load<AuditOracle>("audit.json"), oracle =>
    {
        var audit = new CanaryAudit(oracle.Canaries, oracle.Guesses, oracle.Correct);

        Assert.Equal(oracle.PValueAtOne, audit.PValue(1, oracle.Delta), 1e-11);
        Assert.InRange(audit.LowerBound(oracle.Delta), oracle.LowerBound - 1e-8, oracle.LowerBound);
        Assert.InRange(CanaryAudit.LargestShowable(oracle.Canaries, oracle.Delta), oracle.Largest - 1e-8, oracle.Largest);
    });

    // (e^ε/(1 + e^ε))^m = 0.05 solved for ε.
    [Theory]
    [InlineData(10)]
    [InlineData(1000)]
    public void LargestShowable_PureEpsilon_IsTheClosedForm(int canaries)
    {
        var accuracy = Math.Pow(0.05, 1.0 / canaries);

        Assert.Equal(Math.Log(accuracy / (1 - accuracy)), CanaryAudit.LargestShowable(canaries, 0), 1e-7);
    }

    // Randomised response with ε = 1, the worst case of the theorem at δ = 0: the bound is above 1 in at most 5 % of audits.
    [Fact]
    public void LowerBound_MechanismThatKeepsItsPromise_IsRarelyAboveIt()
    {
        var random = new Random(20230518);
        var bounds = new double[201];
        for (var v = 0; v < bounds.Length; v++)
        {
            bounds[v] = new CanaryAudit(200, 200, v).LowerBound(0);
        }

        var above = Enumerable.Range(0, 4000).Count(_ => bounds[Enumerable.Range(0, 200).Count(_ => random.NextDouble() < Math.E / (1 + Math.E))] > 1);

        // Of Binomial(4000, 0.05) 270 is exceeded with probability 10⁻⁷; a bound that never fires would be of no use.
        Assert.InRange(above, 40, 270);
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(100_001, 1, 1)]
    [InlineData(10, 11, 1)]
    [InlineData(10, 5, 6)]
    [InlineData(10, 5, -1)]
    public void Audit_CountsThatDoNotFit_AreRefused(int canaries, int guesses, int correct) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new CanaryAudit(canaries, guesses, correct));

    [Fact]
    public void LowerBound_MostCanaries_IsFinite() =>
        Assert.InRange(new CanaryAudit(CanaryAudit.MostCanaries, CanaryAudit.MostCanaries, 90_000).LowerBound(1e-6), 2, Math.Log(9));

    private sealed record AuditOracle(int Canaries, int Guesses, int Correct, double Delta, double PValueAtOne, double LowerBound, double Largest);
}
