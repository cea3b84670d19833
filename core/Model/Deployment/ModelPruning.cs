namespace FedServerless.Model;

/// <summary>Magnitude pruning of a trained model, for deployment: the smallest weights become zero, those of all tensors compared with each other.</summary>
public static class ModelPruning
{
    /// <summary>
    /// Zeroes <c>⌊share·weights⌋</c> values of the parameters of two dimensions or more; biases, buffers and integers stay. Of equal magnitudes the
    /// first in flat order goes first.
    /// </summary>
    /// <param name="model">Changed in place; finite.</param>
    /// <param name="share">In [0, 1).</param>
    /// <returns>How many values are zero now, of how many.</returns>
    public static (long Zero, long Weights) Prune(ModelState model, double share)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!(share is >= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(share), share, "The share to prune is 0 or more and below 1.");
        }

        var places = new List<int>();
        for (var i = 0; i < model.Layout.Tensors.Count; i++)
        {
            var tensor = model.Layout.Tensors[i];
            if (tensor.Role == TensorRole.Parameter && tensor.Shape.Count >= 2)
            {
                places.AddRange(Enumerable.Range((int)model.Layout.Offsets[i], (int)tensor.Length));
            }
        }

        // A stable sort: equal magnitudes keep their order.
        foreach (var place in places.OrderBy(place => Math.Abs(model.Values[place])).Take((int)(share * places.Count)).ToArray())
        {
            model.Values[place] = 0;
        }

        return (places.LongCount(place => model.Values[place] == 0), places.Count);
    }
}
