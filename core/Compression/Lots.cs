using System.Numerics;
using System.Runtime.CompilerServices;

namespace FedServerless.Compression;

/// <summary>
/// Uniform numbers by position, for rounding: the i-th is a function of the seed and of i alone, so any vector width draws the same.
/// Multiples of 2⁻²⁴ in [0, 1): the mixer "lowbias32" (Wellons 2018) over i, keyed before and between its rounds. Not for privacy.
/// </summary>
/// <param name="seed">Any value; neighbours are unrelated.</param>
/// <param name="first">Position that index 0 stands for.</param>
internal readonly struct Lots(long seed, int first = 0)
{
    private const float Step = 1f / (1 << 24);

    private readonly uint _before = (uint)seed + ((uint)first * Golden);
    private readonly uint _between = (uint)(seed >>> 32);

    // 2³² over the golden ratio, odd: neighbouring positions are far apart before mixing begins.
    private const uint Golden = 0x9E37_79B9;

    /// <summary>The number at an index.</summary>
    public float this[int index]
    {
        get
        {
            var x = _before + ((uint)index * Golden);
            x = (x ^ (x >> 16)) * 0x7FEB_352D;
            x ^= _between;
            x = (x ^ (x >> 15)) * 0x846C_A68B;
            return ((x ^ (x >> 16)) >> 8) * Step;
        }
    }

    /// <summary>The numbers from an index on, one a lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Draw(int index)
    {
        var x = new Vector<uint>(_before + ((uint)index * Golden)) + (Vector<uint>.Indices * Golden);
        x = (x ^ (x >>> 16)) * 0x7FEB_352D;
        x ^= new Vector<uint>(_between);
        x = (x ^ (x >>> 15)) * 0x846C_A68B;
        return Vector.ConvertToSingle(Vector.AsVectorInt32((x ^ (x >>> 16)) >>> 8)) * Step;
    }
}
