namespace FedServerless.Client.Rounds;

/// <summary>
/// Error feedback: what a codec leaves out of one round's delta is added to the next one's, so that nothing is lost but time. Seide et
/// al. 2014; Karimireddy et al. 2019, arXiv:1901.09847, algorithm 2, with the delta in place of the step.
/// </summary>
internal static class ErrorFeedback
{
    /// <summary><c>deltas[i] += residual[i]</c>.</summary>
    public static void Add(ReadOnlySpan<float> residual, Span<float> deltas)
    {
        for (var i = 0; i < deltas.Length; i++)
        {
            deltas[i] += residual[i];
        }
    }

    /// <summary>
    /// <c>deltas[i] − decoded[i]</c>, where the deltas are those handed to the encoder: what it did not send.
    /// </summary>
    public static float[] Remainder(ReadOnlySpan<float> deltas, ReadOnlySpan<float> decoded)
    {
        var remainder = new float[deltas.Length];
        for (var i = 0; i < remainder.Length; i++)
        {
            remainder[i] = deltas[i] - decoded[i];
        }

        return remainder;
    }
}
