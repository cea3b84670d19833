using FedServerless.Privacy;

namespace FedServerless.Client.Training;

/// <summary>Independent coins from unpredictable bits that show heads with probability <c>⌊q·2⁶⁴⌋/2⁶⁴</c>: never above q, and below it by less than 2⁻⁶⁴.</summary>
internal sealed class PoissonCoin(double rate, EntropySource entropy)
{
    private readonly EntropyBits _bits = new(entropy);
    private readonly UInt128 _heads = (UInt128)Math.ScaleB(rate, 64);

    public bool Toss() => _bits.NextWord() < _heads;
}
