namespace FedServerless.Client.Tests.Training;

/// <summary>The plainest possible fully connected network, in double, as an oracle: no vectors, no tiles, no shortcuts.</summary>
internal static class ReferenceNetwork
{
    public static double MeanLoss(int[] widths, double[] parameters, IEnumerable<(double[] Features, int Label)> batch) =>
        batch.Average(sample => Loss(Scores(widths, parameters, sample.Features), sample.Label));

    public static double[] Scores(int[] widths, double[] parameters, double[] features)
    {
        var values = features;
        var offset = 0;
        for (var layer = 1; layer < widths.Length; layer++)
        {
            var next = new double[widths[layer]];
            var bias = offset + (widths[layer] * widths[layer - 1]);
            for (var o = 0; o < next.Length; o++)
            {
                next[o] = parameters[bias + o];
                for (var i = 0; i < values.Length; i++)
                {
                    next[o] += parameters[offset + (o * values.Length) + i] * values[i];
                }

                next[o] = layer < widths.Length - 1 ? Math.Max(0, next[o]) : next[o];
            }

            offset = bias + next.Length;
            values = next;
        }

        return values;
    }

    /// <summary>Central differences of the mean loss.</summary>
    public static double[] Gradient(int[] widths, double[] parameters, IReadOnlyList<(double[] Features, int Label)> batch)
    {
        const double Step = 1e-6;
        var gradient = new double[parameters.Length];
        for (var p = 0; p < parameters.Length; p++)
        {
            var kept = parameters[p];
            parameters[p] = kept + Step;
            var above = MeanLoss(widths, parameters, batch);
            parameters[p] = kept - Step;
            var below = MeanLoss(widths, parameters, batch);
            parameters[p] = kept;
            gradient[p] = (above - below) / (2 * Step);
        }

        return gradient;
    }

    private static double Loss(double[] scores, int label) => Math.Log(scores.Sum(Math.Exp)) - scores[label];
}
