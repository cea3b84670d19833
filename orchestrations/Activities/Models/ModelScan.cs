using System.Globalization;
using System.Runtime.InteropServices;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Storage;

namespace FedServerless.Activities.Models;

/// <summary>Looks at every float32 value of a stored model, in constant memory.</summary>
public static class ModelScan
{
    private const int ChunkBytes = 256 << 10;

    /// <summary>What is wrong with the values of a file whose header was read, naming tensor and value; null when all are finite.</summary>
    public static async Task<string?> FindNotFiniteAsync(
        IObjectStore store, string name, SafetensorsHeader header, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(header);
        var bytes = new byte[ChunkBytes];
        foreach (var segment in header.FloatSegments(0, header.Layout.FloatCount))
        {
            await using var content = await store.OpenAsync(name, segment.FileOffset, cancellationToken)
                ?? throw new InvalidDataException($"'{name}' is gone.");
            for (var done = 0L; done < segment.Count;)
            {
                var count = (int)Math.Min(ChunkBytes / sizeof(float), segment.Count - done);
                await content.Stream.ReadExactlyAsync(bytes.AsMemory(0, count * sizeof(float)), cancellationToken);
                var first = FiniteValues.FirstNonFinite(MemoryMarshal.Cast<byte, float>(bytes.AsSpan(0, count * sizeof(float))));
                if (first >= 0)
                {
                    var value = MemoryMarshal.Cast<byte, float>(bytes)[first];
                    return Describe(header.Layout, segment.Start + done + first, value);
                }

                done += count;
            }
        }

        return null;
    }

    private static string Describe(TensorLayout layout, long position, float value)
    {
        var tensor = 0;
        while (!(layout.Tensors[tensor].Role != TensorRole.Integer
            && position >= layout.Offsets[tensor] && position < layout.Offsets[tensor] + layout.Tensors[tensor].Length))
        {
            tensor++;
        }

        return $"Tensor '{layout.Tensors[tensor].Name}' has the value {value.ToString(CultureInfo.InvariantCulture)} at position {position - layout.Offsets[tensor]}; every value must be finite.";
    }
}
