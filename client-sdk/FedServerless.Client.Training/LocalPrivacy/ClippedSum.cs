using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Privacy;

namespace FedServerless.Client.Training;

/// <summary>
/// Sums the gradients of single examples on the grid, each clipped by its own norm over all parameters: with or without any one example the sum
/// differs by at most C, exactly, in integers. Clipping a batch's mean would bound nothing about one example.
/// </summary>
internal sealed class ClippedSum(IDifferentiableModel objective, UpdateGrid grid)
{
    private readonly int[] _one = new int[1];

    /// <summary>Adds one example's clipped gradient.</summary>
    /// <param name="model">The weights.</param>
    /// <param name="sample">The example.</param>
    /// <param name="gradient">Scratch, one value a parameter.</param>
    /// <param name="sums">In steps of the grid.</param>
    public void Add(ModelState model, int sample, float[] gradient, Span<long> sums)
    {
        _one[0] = sample;
        objective.LossAndGradient(model, _one, gradient);
        var norm = Reductions.Norm(gradient);
        if (!double.IsFinite(norm))
        {
            // Stopping here would tell that such an example is there; contributing nothing is within what the noise covers.
            return;
        }

        var scale = grid.Fit(norm, factor => UpdateGrid.SumOfSquares(gradient, factor));
        UpdateGrid.Accumulate(gradient, scale, sums);
    }
}
