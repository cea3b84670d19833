namespace FedServerless.Client.Training;

/// <summary>Fully connected layers and nothing below them.</summary>
internal sealed class DenseNetwork(int[] widths, int[] offsets, int rows) : INetwork
{
    public int RowsPerPass => rows;

    public DenseLayers Top { get; } = new(widths, offsets, rows, wantsInputDelta: false);

    public void Prepare(ReadOnlySpan<float> parameters, bool forTraining)
    {
    }

    public void Forward(ReadOnlySpan<float> parameters, LabelledSamples samples, ReadOnlySpan<int> batch)
    {
        for (var i = 0; i < batch.Length; i++)
        {
            samples.Features(batch[i]).CopyTo(Top.Input(i));
        }

        Top.Forward(parameters, batch.Length);
    }

    public void Backward(ReadOnlySpan<float> parameters, int rows, Span<float> gradient, bool isFirst) =>
        Top.Backward(parameters, rows, gradient, accumulate: !isFirst);
}
