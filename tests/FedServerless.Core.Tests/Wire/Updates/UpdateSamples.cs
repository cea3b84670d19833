using FedServerless.Model;
using FedServerless.Wire.Updates;

namespace FedServerless.Core.Tests.Wire.Updates;

/// <summary>Small seeded models and a plain reader of updates.</summary>
internal static class UpdateSamples
{
    public static TensorLayout Layout(int parameters, int buffers, int integers)
    {
        var tensors = new List<TensorSpec>();
        if (parameters > 0)
        {
            tensors.Add(new TensorSpec("weight", [parameters], TensorRole.Parameter));
        }

        if (buffers > 0)
        {
            tensors.Add(new TensorSpec("weight.buffer", [buffers], TensorRole.Buffer));
        }

        if (integers > 0)
        {
            tensors.Add(new TensorSpec("weight.count", [integers], TensorRole.Integer));
        }

        return TensorLayout.Create(tensors);
    }

    public static (ModelState Start, ModelState Trained) Models(int seed, int parameters, int buffers, int integers)
    {
        var random = new Random(seed);
        var layout = Layout(parameters, buffers, integers);
        var start = new ModelState(layout, new float[layout.FloatCount], new long[layout.IntegerCount]);
        for (var i = 0; i < start.Values.Length; i++)
        {
            start.Values[i] = random.NextSingle() - 0.5f;
        }

        var trained = start.Clone();
        for (var i = 0; i < trained.Values.Length; i++)
        {
            trained.Values[i] += (random.NextSingle() - 0.5f) / 16;
        }

        for (var i = 0; i < trained.Integers.Length; i++)
        {
            trained.Integers[i] = random.NextInt64(long.MinValue, long.MaxValue);
        }

        return (start, trained);
    }

    /// <summary>Verifies and decodes every block; fails the test at the first that is refused.</summary>
    public static (float[] Floats, long[] Integers) Decode(UpdateHeader header, byte[] payload)
    {
        var floats = new float[header.Shape.Layout.FloatCount];
        var integers = new long[header.Shape.Layout.IntegerCount];
        for (var block = 0; block < header.Shape.BlockCount; block++)
        {
            var bytes = payload.AsSpan((int)header.BlockOffset(block), header.BlockLength(block));
            var (start, count) = header.Shape.ValuesOf(block);
            Assert.True(header.VerifyBlock(block, bytes), $"block {block} does not verify");
            Assert.True(
                block < header.Shape.FloatBlocks
                    ? header.TryDecodeBlock(block, bytes, floats.AsSpan((int)start, count))
                    : header.TryDecodeBlock(block, bytes, integers.AsSpan((int)start, count)),
                $"block {block} does not decode");
        }

        return (floats, integers);
    }
}
