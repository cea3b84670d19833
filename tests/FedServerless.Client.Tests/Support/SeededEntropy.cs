using System.Buffers.Binary;
using FedServerless.Numerics;
using FedServerless.Privacy;

namespace FedServerless.Client.Tests.Support;

/// <summary>Bytes that a test can repeat: what no host can configure.</summary>
internal sealed class SeededEntropy(long seed) : EntropySource
{
    private readonly DeterministicRandom _random = new(seed);

    public override void Fill(Span<byte> destination)
    {
        for (var at = 0; at < destination.Length; at += sizeof(ulong))
        {
            BinaryPrimitives.WriteUInt64LittleEndian(destination[at..], _random.NextUInt64());
        }
    }
}
