namespace FedServerless.Client.Training;

/// <summary>The layers of a built-in model: some samples at a time, forwards and backwards.</summary>
internal interface INetwork
{
    /// <summary>Most samples at a time; a larger batch goes in several passes, so that scratch memory stays small.</summary>
    int RowsPerPass { get; }

    /// <summary>What every model ends in.</summary>
    DenseLayers Top { get; }

    /// <summary>Takes the parameters of a step, before its first pass.</summary>
    void Prepare(ReadOnlySpan<float> parameters, bool forTraining);

    /// <summary>Brings samples up to the scores.</summary>
    void Forward(ReadOnlySpan<float> parameters, LabelledSamples samples, ReadOnlySpan<int> batch);

    /// <summary>Brings the gradient down from the scores, after <see cref="Forward"/>.</summary>
    /// <param name="parameters">As they were forwards.</param>
    /// <param name="rows">As many as forwards.</param>
    /// <param name="gradient">Overwritten in a step's first pass, with the sum of its passes afterwards.</param>
    /// <param name="isFirst">The first pass of a step.</param>
    void Backward(ReadOnlySpan<float> parameters, int rows, Span<float> gradient, bool isFirst);
}
