using System.Diagnostics;
using System.Runtime.InteropServices;

namespace FedServerless.Privacy;

/// <summary>Words and bits of an <see cref="EntropySource"/>, fetched in large pieces; each is handed out once and wiped. Not thread-safe.</summary>
internal sealed class EntropyBits(EntropySource source)
{
    // Large enough that the call's overhead is small beside the cipher's work.
    private const int Words = 1024;

    private readonly ulong[] _words = new ulong[Words];
    private int _next = Words;
    private ulong _bits;
    private int _bitsLeft;

    /// <summary>64 uniform bits.</summary>
    public ulong NextWord()
    {
        if (_next == Words)
        {
            source.Fill(MemoryMarshal.AsBytes(_words.AsSpan()));
            _next = 0;
        }

        var word = _words[_next];
        _words[_next++] = 0;
        return word;
    }

    /// <summary>One uniform bit.</summary>
    public bool NextBit()
    {
        if (_bitsLeft == 0)
        {
            (_bits, _bitsLeft) = (NextWord(), 64);
        }

        var bit = (_bits & 1) != 0;
        _bits >>= 1;
        _bitsLeft--;
        return bit;
    }

    /// <summary>Uniform in [0, <paramref name="bound"/>), without bias: Lemire 2019, arXiv:1805.10941, algorithm 5.</summary>
    public ulong NextBelow(ulong bound)
    {
        Debug.Assert(bound > 0);
        var high = Math.BigMul(NextWord(), bound, out var low);
        if (low < bound)
        {
            var surplus = unchecked(0 - bound) % bound;
            while (low < surplus)
            {
                high = Math.BigMul(NextWord(), bound, out low);
            }
        }

        return high;
    }
}
