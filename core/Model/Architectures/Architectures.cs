using FedServerless.Wire;

namespace FedServerless.Model;

/// <summary>
/// The built-in architectures: fully connected layers with ReLU between them, which any client can train without a framework.
/// Layer i (from 1) is <c>fc{i}.weight</c> [out, in], row major, then <c>fc{i}.bias</c> [out], as in PyTorch's <c>nn.Linear</c>.
/// </summary>
public static class Architectures
{
    /// <summary>Softmax regression: one layer. Version 0 is all zeros, so its loss is ln(classes) whatever the seed.</summary>
    public const string Softmax = "softmax";

    /// <summary>
    /// Multilayer perceptron: ReLU after every hidden layer. Version 0 draws weights and biases of a layer uniformly from
    /// (−1/√fan-in, 1/√fan-in), PyTorch's default for <c>nn.Linear</c>.
    /// </summary>
    public const string Mlp = "mlp";

    /// <summary>Most features of a sample.</summary>
    public const int MaxInputs = 1_000_000;

    /// <summary>Largest width of a hidden layer, and most classes.</summary>
    public const int MaxWidth = 100_000;

    /// <summary>Fewest classes.</summary>
    public const int MinOutputs = 2;

    /// <summary>Most hidden layers of an <see cref="Mlp"/>.</summary>
    public const int MaxHiddenLayers = 64;

    /// <summary>Everything that is wrong with a spec; empty when it is legal.</summary>
    /// <param name="spec">What a user asks for.</param>
    /// <param name="field">Path of the spec in the document it came from, for the problems.</param>
    public static IReadOnlyList<Problem> Validate(ArchitectureSpec spec, string field = "architecture")
    {
        ArgumentNullException.ThrowIfNull(spec);
        var problems = new List<Problem>();
        if (spec.Name is not (Softmax or Mlp))
        {
            problems.Add(new Problem($"{field}.name", spec.Name, $"'{Softmax}' or '{Mlp}'"));
        }

        Range($"{field}.inputs", spec.Inputs, 1, MaxInputs);
        Range($"{field}.outputs", spec.Outputs, MinOutputs, MaxWidth);
        ValidateHidden();
        if (problems.Count == 0 && ParameterCount(spec) > TensorLayout.MaxFloats)
        {
            problems.Add(new Problem(field, $"{ParameterCount(spec)} parameters", $"at most {TensorLayout.MaxFloats} parameters"));
        }

        return problems;

        void ValidateHidden()
        {
            var hidden = spec.Hidden ?? [];
            var (fewest, most) = spec.Name == Softmax ? (0, 0) : (1, MaxHiddenLayers);
            if (hidden.Count < fewest || hidden.Count > most)
            {
                problems.Add(new Problem(
                    $"{field}.hidden",
                    $"{hidden.Count} layers",
                    most == 0 ? $"no hidden layer for '{Softmax}'" : $"{fewest} to {most} hidden layers for '{Mlp}'"));
                return;
            }

            for (var i = 0; i < hidden.Count; i++)
            {
                Range($"{field}.hidden[{i}]", hidden[i], 1, MaxWidth);
            }
        }

        void Range(string name, int value, int least, int most)
        {
            if (value < least || value > most)
            {
                problems.Add(new Problem(name, $"{value}", $"an integer from {least} to {most}"));
            }
        }
    }

    /// <summary>Names and shapes of a legal spec's tensors, all of them parameters.</summary>
    /// <exception cref="ArgumentException">The spec is not legal; the message lists every problem.</exception>
    public static TensorLayout Layout(ArchitectureSpec spec)
    {
        ThrowIfIllegal(spec);
        var widths = Widths(spec);
        var tensors = new List<TensorSpec>();
        for (var layer = 1; layer < widths.Length; layer++)
        {
            tensors.Add(new TensorSpec($"fc{layer}.weight", [widths[layer], widths[layer - 1]], TensorRole.Parameter));
            tensors.Add(new TensorSpec($"fc{layer}.bias", [widths[layer]], TensorRole.Parameter));
        }

        return TensorLayout.Create(tensors);
    }

    /// <summary>
    /// Version 0: the same bytes for the same spec and seed on every machine. Values are drawn in flat order from the stream
    /// (seed, <c>architecture</c>): <c>(float)(bound · (2·NextDouble() − 1))</c>.
    /// </summary>
    /// <exception cref="ArgumentException">The spec is not legal; the message lists every problem.</exception>
    public static ModelState Initialize(ArchitectureSpec spec, long seed)
    {
        var layout = Layout(spec);
        var values = new float[layout.FloatCount];
        new InitialWeights(spec, layout, seed).Next(values);
        return new ModelState(layout, values, []);
    }

    /// <summary>
    /// The same version 0 as its <see cref="CanonicalModelFile"/>, made as it is read, once and forwards: constant memory whatever
    /// the model's size.
    /// </summary>
    /// <exception cref="ArgumentException">The spec is not legal; the message lists every problem.</exception>
    public static Stream OpenInitial(ArchitectureSpec spec, long seed)
    {
        var layout = Layout(spec);
        return new InitialModelStream(CanonicalModelFile.Create(layout), new InitialWeights(spec, layout, seed));
    }

    /// <summary>Widths from the inputs to the outputs: [inputs, hidden…, outputs].</summary>
    /// <exception cref="ArgumentException">The spec is not legal; the message lists every problem.</exception>
    public static IReadOnlyList<int> LayerWidths(ArchitectureSpec spec)
    {
        ThrowIfIllegal(spec);
        return Widths(spec);
    }

    private static void ThrowIfIllegal(ArchitectureSpec spec)
    {
        var problems = Validate(spec);
        if (problems.Count > 0)
        {
            throw new ArgumentException(string.Join(' ', problems), nameof(spec));
        }
    }

    private static int[] Widths(ArchitectureSpec spec) => [spec.Inputs, .. spec.Hidden ?? [], spec.Outputs];

    private static long ParameterCount(ArchitectureSpec spec)
    {
        var widths = Widths(spec);
        var count = 0L;
        for (var layer = 1; layer < widths.Length; layer++)
        {
            count += ((long)widths[layer - 1] + 1) * widths[layer];
        }

        return count;
    }
}
