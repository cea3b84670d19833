namespace FedServerless.Privacy;

/// <summary>
/// Who takes part in a round: an independent coin a client, from the operating system's generator. A seed would be a secret that the plan gives away, and
/// amplification holds only against who cannot know the coins.
/// </summary>
public static class PoissonCoins
{
    /// <summary>Tosses a coin for each client.</summary>
    /// <param name="rate">q in (0, 1]: the chance of true, to 2⁻⁶⁴ and never above.</param>
    /// <param name="isIn">One element a client.</param>
    /// <exception cref="ArgumentOutOfRangeException">q is not in (0, 1].</exception>
    public static void Toss(double rate, Span<bool> isIn) => Toss(rate, isIn, SystemEntropy.Instance);

    internal static void Toss(double rate, Span<bool> isIn, EntropySource entropy)
    {
        if (!(rate is > 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(rate), rate, "A sampling rate is above 0 and at most 1.");
        }

        if (rate == 1)
        {
            isIn.Fill(true);
            return;
        }

        // A product with a power of two is exact; below 2⁻¹¹ the conversion drops digits, which makes the coin a little less likely: the safe side.
        var threshold = (ulong)(rate * 18446744073709551616.0);
        var bits = new EntropyBits(entropy);
        for (var i = 0; i < isIn.Length; i++)
        {
            isIn[i] = bits.NextWord() < threshold;
        }
    }
}
