namespace FedServerless.Privacy;

/// <summary>Exact binomial probabilities, in log-space.</summary>
internal static class BinomialTail
{
    /// <summary><c>ln P(B = k)</c>, k = 0 … n, B binomial with success odds e^<paramref name="logOdds"/>.</summary>
    public static double[] LogMass(int trials, double logOdds)
    {
        // Chances from the odds keep their digits at both ends: a chance next to 1 does not.
        var (success, failure) = (-LogSpace.Log1PExp(-logOdds), -LogSpace.Log1PExp(logOdds));
        var mass = new double[trials + 1];
        for (var k = 0; k <= trials; k++)
        {
            mass[k] = LogSpace.LogFactorial(trials) - LogSpace.LogFactorial(k) - LogSpace.LogFactorial(trials - k) + (k * success) + ((trials - k) * failure);
        }

        return mass;
    }
}
