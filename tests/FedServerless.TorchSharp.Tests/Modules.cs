using FedServerless.Client.TorchSharp;
using FedServerless.Client.Training;
using FedServerless.Model;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FedServerless.TorchSharp.Tests;

/// <summary>Modules and samples that tests share.</summary>
internal static class Modules
{
    public const int Features = 6;
    public const int Classes = 3;

    /// <summary>The built-in perceptron 6-5-3, tensor for tensor.</summary>
    public static Sequential Perceptron() =>
        nn.Sequential(("fc1", nn.Linear(Features, 5)), ("relu", nn.ReLU()), ("fc2", nn.Linear(5, Classes)));

    public static TensorLayout PerceptronLayout() => TorchModelFile.Read(Perceptron()).Layout;

    public static TorchObjective Classifier(nn.Module<Tensor, Tensor> module) =>
        new(module, (outputs, targets) => nn.functional.cross_entropy(outputs, targets));

    /// <summary>As many samples, every class among them; not separable, so that gradients stay.</summary>
    public static LabelledSamples Samples(int count = 20, long seed = 1)
    {
        var random = new Random((int)seed);
        var features = Enumerable.Range(0, count * Features).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray();
        return new LabelledSamples(features, [.. Enumerable.Range(0, count).Select(i => i % Classes)], Features, Classes);
    }

    public static int[] All(int count) => [.. Enumerable.Range(0, count)];
}

/// <summary>Convolution, batch norm, dropout: all that a module can have which is not a trained parameter.</summary>
internal sealed class Mixed : nn.Module<Tensor, Tensor>
{
    // TorchSharp names tensors after these fields.
    private readonly Conv2d conv = nn.Conv2d(1, 2, 3);
    private readonly BatchNorm2d norm = nn.BatchNorm2d(2);
    private readonly Dropout drop = nn.Dropout(0.5);
    private readonly Linear last = nn.Linear(8, 3);

    public Mixed()
        : base(nameof(Mixed)) => RegisterComponents();

    public BatchNorm2d Norm => norm;

    public override Tensor forward(Tensor input) => last.call(drop.call(norm.call(conv.call(input)).relu().flatten(1)));

    /// <summary>Samples of one channel of 4 × 4.</summary>
    public static TorchSamples Samples(int count = 12)
    {
        var random = new Random(3);
        var features = Enumerable.Range(0, count * 16).Select(_ => (float)random.NextDouble()).ToArray();
        return TorchSamples.Of(new LabelledSamples(features, [.. Enumerable.Range(0, count).Select(i => i % 3)], 16, 3), 1, 4, 4);
    }
}

/// <summary>Has a parameter that its outputs do not depend on, one without a gradient, and one under two names.</summary>
internal sealed class Odd : nn.Module<Tensor, Tensor>
{
    private readonly Parameter used = nn.Parameter(ones(Modules.Features, Modules.Classes));
    private readonly Parameter unused = nn.Parameter(ones(4));
    private readonly Parameter still = nn.Parameter(ones(Modules.Classes), requires_grad: false);
    private readonly Parameter again;

    public Odd()
        : base(nameof(Odd))
    {
        again = used;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => input.mm(used).add(input.mm(again)).mul(still);
}

/// <summary>Reads words: an embedding, an LSTM over it, a class.</summary>
internal sealed class Reader : nn.Module<Tensor, Tensor>
{
    private readonly Embedding words = nn.Embedding(5, 3);
    private readonly LSTM lstm = nn.LSTM(3, 4, batchFirst: true);
    private readonly Linear last = nn.Linear(4, 3);

    public Reader()
        : base(nameof(Reader)) => RegisterComponents();

    public override Tensor forward(Tensor input)
    {
        var (read, _, _) = lstm.call(words.call(input));
        return last.call(read.select(1, -1));
    }

    /// <summary>Four sentences of three words.</summary>
    public static TorchSamples Samples() =>
        TorchSamples.Of(tensor(new long[] { 0, 1, 2, 3, 4, 0, 1, 1, 3, 2, 0, 4 }).view(4, 3), tensor(new long[] { 0, 1, 2, 0 }));
}
