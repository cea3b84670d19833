using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;

namespace FedServerless.Compression;

/// <summary>What training changed, read piece by piece: <c>trained − start</c>, or <c>trained</c> where it holds deltas already.</summary>
/// <param name="trained">Values after training, or deltas.</param>
/// <param name="start">As long, or empty for deltas.</param>
internal readonly ref struct UpdateDeltas(ReadOnlySpan<float> trained, ReadOnlySpan<float> start)
{
    private readonly ReadOnlySpan<float> _trained = trained;
    private readonly ReadOnlySpan<float> _start = start;

    public int Length => _trained.Length;

    public float this[int index] => _start.IsEmpty ? _trained[index] : _trained[index] - _start[index];

    /// <summary>True when the piece is there without a subtraction.</summary>
    public bool AreStored => _start.IsEmpty;

    public ReadOnlySpan<float> Trained => _trained;

    public ReadOnlySpan<float> Start => _start;

    /// <summary>The piece from <paramref name="first"/> on: in place where it is stored, otherwise worked out into <paramref name="scratch"/>.</summary>
    public ReadOnlySpan<float> Read(int first, int count, Span<float> scratch)
    {
        var trained = _trained.Slice(first, count);
        if (_start.IsEmpty)
        {
            return trained;
        }

        Subtract(trained, _start.Slice(first, count), scratch[..count]);
        return scratch[..count];
    }

    private static void Subtract(ReadOnlySpan<float> trained, ReadOnlySpan<float> start, Span<float> deltas)
    {
        Debug.Assert(trained.Length == deltas.Length && start.Length == deltas.Length);
        ref var t = ref MemoryMarshal.GetReference(trained);
        ref var s = ref MemoryMarshal.GetReference(start);
        ref var d = ref MemoryMarshal.GetReference(deltas);
        var i = 0;
        for (; i <= deltas.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            (Vector.LoadUnsafe(ref t, (nuint)i) - Vector.LoadUnsafe(ref s, (nuint)i)).StoreUnsafe(ref d, (nuint)i);
        }

        for (; i < deltas.Length; i++)
        {
            deltas[i] = trained[i] - start[i];
        }
    }
}
