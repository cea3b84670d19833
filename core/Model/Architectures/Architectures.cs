using System.Diagnostics.CodeAnalysis;
using FedServerless.Wire;

namespace FedServerless.Model;

/// <summary>
/// The built-in architectures, which any client can train without a framework. Layer i (from 1) of the fully connected ones is
/// <c>fc{i}.weight</c> [out, in], row major, then <c>fc{i}.bias</c> [out], as in PyTorch's <c>nn.Linear</c>.
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

    /// <summary>
    /// Convolution network: convolutions that keep height and width, each with ReLU and the maximum of each 2 × 2 after it, then the layers of a
    /// perceptron. Version 0 as <see cref="Mlp"/>, a convolution's fan-in being inputs · kernel², PyTorch's default for <c>nn.Conv2d</c>.
    /// </summary>
    /// <remarks>
    /// Convolution i is <c>conv{i}.weight</c> [out, in, kernel, kernel], then <c>conv{i}.bias</c> [out]. The first fully connected layer is
    /// <c>fc1.weight</c> [out, channels, height, width] of the last pooled image: the same values in the same order as a flat [out, in], and
    /// it says in the model what size its images have. The CNN of McMahan et al. 2017 (arXiv:1602.05629, section 3) is 28 × 28 × 1,
    /// convolutions to 32 and 64 channels with kernel 5, a hidden layer of 512 and 10 classes: 1 663 370 parameters.
    /// </remarks>
    public const string Conv = "conv";

    /// <summary>Most features of a sample.</summary>
    public const int MaxInputs = 1_000_000;

    /// <summary>Largest width of a hidden layer, and most classes.</summary>
    public const int MaxWidth = 100_000;

    /// <summary>Fewest classes.</summary>
    public const int MinOutputs = 2;

    /// <summary>Most hidden layers of an <see cref="Mlp"/> or a <see cref="Conv"/>.</summary>
    public const int MaxHiddenLayers = 64;

    /// <summary>Most convolutions of a <see cref="Conv"/>.</summary>
    public const int MaxConvolutions = 8;

    /// <summary>Most rows and most columns of an image.</summary>
    public const int MaxSide = 1024;

    /// <summary>Most channels of an image and of a convolution.</summary>
    public const int MaxChannels = 1024;

    /// <summary>Largest height and width of a convolution.</summary>
    public const int MaxKernel = 7;

    /// <summary>Most values of one sample that the convolutions take in and convolve to, together: 2²⁴, so that a client's memory is bounded.</summary>
    public const long MaxConvValues = 1L << 24;

    /// <summary>Everything that is wrong with a spec; empty when it is legal.</summary>
    /// <param name="spec">What a user asks for.</param>
    /// <param name="field">Path of the spec in the document it came from, for the problems.</param>
    public static IReadOnlyList<Problem> Validate(ArchitectureSpec spec, string field = "architecture")
    {
        ArgumentNullException.ThrowIfNull(spec);
        return ArchitectureRules.Validate(spec, field);
    }

    /// <summary>Names and shapes of a legal spec's tensors, all of them parameters.</summary>
    /// <exception cref="ArgumentException">The spec is not legal; the message lists every problem.</exception>
    public static TensorLayout Layout(ArchitectureSpec spec)
    {
        ThrowIfIllegal(spec);
        var tensors = new List<TensorSpec>();
        var shapes = ConvShape.Of(spec);
        for (var i = 0; i < shapes.Count; i++)
        {
            var shape = shapes[i];
            tensors.Add(new TensorSpec($"conv{i + 1}.weight", [shape.Outputs, shape.Inputs, shape.Kernel, shape.Kernel], TensorRole.Parameter));
            tensors.Add(new TensorSpec($"conv{i + 1}.bias", [shape.Outputs], TensorRole.Parameter));
        }

        var widths = Widths(spec);
        for (var layer = 1; layer < widths.Length; layer++)
        {
            IReadOnlyList<int> weight = layer == 1 && shapes is [.., var last]
                ? [widths[layer], last.Outputs, last.Height / 2, last.Width / 2]
                : [widths[layer], widths[layer - 1]];
            tensors.Add(new TensorSpec($"fc{layer}.weight", weight, TensorRole.Parameter));
            tensors.Add(new TensorSpec($"fc{layer}.bias", [widths[layer]], TensorRole.Parameter));
        }

        return TensorLayout.Create(tensors);
    }

    /// <summary>Reads off a layout which built-in architecture it is: the inverse of <see cref="Layout"/>.</summary>
    /// <param name="layout">Of any model, from anybody.</param>
    /// <param name="spec">A legal spec with exactly this layout; an <see cref="Mlp"/> without a hidden layer is <see cref="Softmax"/>.</param>
    /// <returns>False when it is none.</returns>
    public static bool TryRead(TensorLayout layout, [NotNullWhen(true)] out ArchitectureSpec? spec)
    {
        ArgumentNullException.ThrowIfNull(layout);
        spec = Guess(layout);
        if (spec is null || Validate(spec).Count > 0 || Layout(spec).Digest != layout.Digest)
        {
            spec = null;
        }

        return spec is not null;
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

    /// <summary>
    /// Widths of the fully connected layers: [inputs, hidden…, outputs], where the inputs of a <see cref="Conv"/> are what its last convolution makes.
    /// </summary>
    /// <exception cref="ArgumentException">The spec is not legal; the message lists every problem.</exception>
    public static IReadOnlyList<int> LayerWidths(ArchitectureSpec spec)
    {
        ThrowIfIllegal(spec);
        return Widths(spec);
    }

    /// <summary>The convolutions of a <see cref="Conv"/> in order; empty for the others.</summary>
    /// <exception cref="ArgumentException">The spec is not legal; the message lists every problem.</exception>
    public static IReadOnlyList<ConvShape> ConvShapes(ArchitectureSpec spec)
    {
        ThrowIfIllegal(spec);
        return ConvShape.Of(spec);
    }

    /// <summary>Parameters of a spec whose numbers are in range.</summary>
    internal static long ParameterCount(ArchitectureSpec spec)
    {
        var widths = Widths(spec);
        var count = ConvShape.Of(spec).Sum(shape => shape.Parameters);
        for (var layer = 1; layer < widths.Length; layer++)
        {
            count += ((long)widths[layer - 1] + 1) * widths[layer];
        }

        return count;
    }

    private static void ThrowIfIllegal(ArchitectureSpec spec)
    {
        var problems = Validate(spec);
        if (problems.Count > 0)
        {
            throw new ArgumentException(string.Join(' ', problems), nameof(spec));
        }
    }

    private static int[] Widths(ArchitectureSpec spec) =>
        [ConvShape.Of(spec) is [.., var last] ? last.Pooled : spec.Inputs, .. spec.Hidden ?? [], spec.Outputs];

    /// <summary>What the layout is if it is any: numbers are read off where they ought to be, and nothing else is looked at.</summary>
    private static ArchitectureSpec? Guess(TensorLayout layout)
    {
        var weights = layout.Tensors.Where((_, index) => index % 2 == 0).ToArray();
        var convolutions = weights.TakeWhile(tensor => tensor.Name.StartsWith("conv", StringComparison.Ordinal)).ToArray();
        var layers = weights[convolutions.Length..];
        if (convolutions.Length > MaxConvolutions || layers.Length == 0 || weights.Any(tensor => tensor.Shape.Count is not (2 or 4)))
        {
            return null;
        }

        var spec = new ArchitectureSpec
        {
            Name = layers.Length == 1 ? Softmax : Mlp,
            Inputs = layers[0].Shape[1],
            Hidden = [.. layers[..^1].Select(tensor => tensor.Shape[0])],
            Outputs = layers[^1].Shape[0],
        };
        if (convolutions.Length == 0)
        {
            return spec;
        }

        if (convolutions.Append(layers[0]).Any(tensor => tensor.Shape.Count != 4 || tensor.Shape[2] > MaxSide || tensor.Shape[3] > MaxSide))
        {
            return null;
        }

        var (height, width, channels) = (layers[0].Shape[2] << convolutions.Length, layers[0].Shape[3] << convolutions.Length, convolutions[0].Shape[1]);
        return spec with
        {
            Name = Conv,
            Inputs = (int)Math.Min((long)height * width * channels, int.MaxValue),
            Image = new ImageSpec { Height = height, Width = width, Channels = channels },
            Convolutions = [.. convolutions.Select(tensor => new ConvolutionSpec { Channels = tensor.Shape[0], Kernel = tensor.Shape[2] })],
        };
    }
}
