using FedServerless.Compression;

namespace FedServerless.Aggregation;

/// <summary>McMahan et al. 2017 (arXiv:1602.05629), FederatedAveraging's server step: <c>Σ wᵢ·xᵢ / Σ wᵢ</c>.</summary>
internal sealed class WeightedMeanAggregator : ISumAggregator
{
    public string Name => Aggregators.WeightedMean;

    public ISumAggregation Begin(int dimension) => new Aggregation(dimension);

    IAggregation IAggregator.Begin(int dimension) => Begin(dimension);

    private sealed class Aggregation : ISumAggregation
    {
        private double[] _sum = [];
        private float[] _decoded = [];
        private SparseBlock? _sparse;

        // NaN once a block was refused: the sum then holds part of it.
        private double _weight;

        public Aggregation(int dimension) => Restart(dimension);

        public int Dimension { get; private set; }

        public double Weight => _weight;

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
            var sum = _sum.AsSpan(0, Dimension);

            // The built-in codecs' blocks are folded where they lie, without a decoded copy.
            var legal = codec.Name switch
            {
                UpdateCodecs.Float32 => WeightedMean.TryAccumulate<Float32Values, float>(block, weight, sum),
                UpdateCodecs.Float16 => WeightedMean.TryAccumulate<Float16Values, ushort>(block, weight, sum),
                UpdateCodecs.Int8 => WeightedMean.TryAccumulate<Int8Values, sbyte>(block, weight, sum),
                _ => TryAccumulateDecoded(codec, block, weight, sum),
            };
            _weight = legal ? _weight + weight : double.NaN;
            return legal;
        }

        public bool TryAddAll(IUpdateCodec codec, ReadOnlySpan<ReadOnlyMemory<byte>> blocks, ReadOnlySpan<double> weights)
        {
            ArgumentNullException.ThrowIfNull(codec);
            ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Length, blocks.Length);
            var total = _weight;
            foreach (var weight in weights)
            {
                CheckWeight(weight);
                total += weight;
            }

            var sum = _sum.AsSpan(0, Dimension);
            var legal = codec.Name switch
            {
                UpdateCodecs.Float32 => WeightedMean.TryAccumulateAll<Float32Values, float>(blocks, weights, sum),
                UpdateCodecs.Float16 => WeightedMean.TryAccumulateAll<Float16Values, ushort>(blocks, weights, sum),
                UpdateCodecs.Int8 => WeightedMean.TryAccumulateAll<Int8Values, sbyte>(blocks, weights, sum),
                _ => TryAccumulateAllDecoded(codec, blocks, weights, sum),
            };
            _weight = legal ? total : double.NaN;
            return legal;
        }

        public void CopySum(Span<double> sum)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(sum.Length, Dimension);
            if (!(_weight > 0))
            {
                throw new InvalidOperationException(
                    _weight == 0 ? "No update was added to this range." : "A block of this range was refused; start it again without it.");
            }

            _sum.AsSpan(0, Dimension).CopyTo(sum);
        }

        public void Join(ReadOnlySpan<double> sum, double weight)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(sum.Length, Dimension);
            CheckWeight(weight);

            // Zero plus a sum is that sum, to the bit: a fold that began at +0 never ends at -0.
            WeightedMean.Join(sum, _sum.AsSpan(0, Dimension));
            _weight += weight;
        }

        public void Complete(Span<double> aggregate)
        {
            CopySum(aggregate);
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

        private bool TryAccumulateDecoded(IUpdateCodec codec, ReadOnlySpan<byte> block, double weight, Span<double> sum)
        {
            if (codec is ISparseUpdateCodec sparse)
            {
                return TryAccumulateSparse(sparse, block, weight, sum);
            }

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

        private bool TryAccumulateSparse(ISparseUpdateCodec codec, ReadOnlySpan<byte> block, double weight, Span<double> sum)
        {
            _sparse ??= new SparseBlock();
            if (!codec.TryRead(block, sum.Length, _sparse))
            {
                return false;
            }

            WeightedMean.AccumulateAt(_sparse.Indices, _sparse.Values, weight, sum);
            return true;
        }

        private bool TryAccumulateAllDecoded(
            IUpdateCodec codec, ReadOnlySpan<ReadOnlyMemory<byte>> blocks, ReadOnlySpan<double> weights, Span<double> sum)
        {
            for (var k = 0; k < blocks.Length; k++)
            {
                if (!TryAccumulateDecoded(codec, blocks[k].Span, weights[k], sum))
                {
                    return false;
                }
            }

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
