using System.Buffers.Binary;
using System.Runtime.InteropServices;
using FedServerless.Compression;

namespace FedServerless.Aggregation;

/// <summary>McMahan et al. 2017 (arXiv:1602.05629), FederatedAveraging's server step: <c>Σ wᵢ·xᵢ / Σ wᵢ</c>.</summary>
internal sealed class WeightedMeanAggregator : IAggregator
{
    public string Name => Aggregators.WeightedMean;

    public IAggregation Begin(int dimension) => new Aggregation(dimension);

    private sealed class Aggregation : IAggregation
    {
        private double[] _sum = [];
        private float[] _decoded = [];
        private double _weight;

        public Aggregation(int dimension) => Restart(dimension);

        public int Dimension { get; private set; }

        public void Add(ReadOnlySpan<float> update, double weight)
        {
            CheckWeight(weight);
            WeightedMean.Accumulate(update, weight, _sum.AsSpan(0, Dimension));
            _weight += weight;
        }

        public bool TryAdd(IUpdateCodec codec, ReadOnlySpan<byte> block, double weight)
        {
            ArgumentNullException.ThrowIfNull(codec);
            CheckWeight(weight);
            if (!TryAccumulate(codec, block, weight, _sum.AsSpan(0, Dimension)))
            {
                return false;
            }

            _weight += weight;
            return true;
        }

        public void Complete(Span<double> aggregate)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(aggregate.Length, Dimension);
            if (_weight == 0)
            {
                throw new InvalidOperationException("No update was added to this range.");
            }

            _sum.AsSpan(0, Dimension).CopyTo(aggregate);
            WeightedMean.Complete(aggregate, _weight);
        }

        public void Restart(int dimension)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(dimension);
            if (_sum.Length < dimension)
            {
                _sum = new double[dimension];
            }
            else
            {
                _sum.AsSpan(0, dimension).Clear();
            }

            Dimension = dimension;
            _weight = 0;
        }

        private bool TryAccumulate(IUpdateCodec codec, ReadOnlySpan<byte> block, double weight, Span<double> sum)
        {
            // The built-in codecs' blocks are folded where they lie, without a decoded copy.
            return codec.Name switch
            {
                UpdateCodecs.Float32 => WeightedMean.TryAccumulateFloat32(block, weight, sum),
                UpdateCodecs.Float16 => WeightedMean.TryAccumulateFloat16(block, weight, sum),
                UpdateCodecs.Int8 => TryAccumulateInt8(block, weight, sum),
                _ => TryAccumulateDecoded(codec, block, weight, sum),
            };
        }

        // A little-endian float32 scale, then a signed byte a value.
        private static bool TryAccumulateInt8(ReadOnlySpan<byte> block, double weight, Span<double> sum) =>
            block.Length >= sizeof(float) && WeightedMean.TryAccumulateInt8(
                BinaryPrimitives.ReadSingleLittleEndian(block), MemoryMarshal.Cast<byte, sbyte>(block[sizeof(float)..]), weight, sum);

        private bool TryAccumulateDecoded(IUpdateCodec codec, ReadOnlySpan<byte> block, double weight, Span<double> sum)
        {
            if (_decoded.Length < sum.Length)
            {
                _decoded = new float[sum.Length];
            }

            var decoded = _decoded.AsSpan(0, sum.Length);
            if (!codec.TryDecode(block, decoded))
            {
                return false;
            }

            WeightedMean.Accumulate(decoded, weight, sum);
            return true;
        }

        private static void CheckWeight(double weight)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(weight);
            if (!double.IsFinite(weight))
            {
                throw new ArgumentOutOfRangeException(nameof(weight), weight, "A weight is finite.");
            }
        }
    }
}
