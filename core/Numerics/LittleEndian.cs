using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace FedServerless.Numerics;

/// <summary>
/// Spans of numbers to and from little-endian bytes: a plain copy on a little-endian machine, a reversal on any other, so
/// that files have the same bytes everywhere. Byte spans need no alignment.
/// </summary>
public static class LittleEndian
{
    /// <summary><c>destination[4i .. 4i+4) = values[i]</c>. The destination may be longer; the spans must not overlap.</summary>
    /// <exception cref="ArgumentException">The destination is shorter than 4 bytes a value.</exception>
    public static void Write(ReadOnlySpan<float> values, Span<byte> destination)
    {
        if (BitConverter.IsLittleEndian)
        {
            MemoryMarshal.AsBytes(values).CopyTo(destination);
            return;
        }

        for (var i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(destination[(4 * i)..], values[i]);
        }
    }

    /// <summary><c>destination[8i .. 8i+8) = values[i]</c>. The destination may be longer; the spans must not overlap.</summary>
    /// <exception cref="ArgumentException">The destination is shorter than 8 bytes a value.</exception>
    public static void Write(ReadOnlySpan<long> values, Span<byte> destination)
    {
        if (BitConverter.IsLittleEndian)
        {
            MemoryMarshal.AsBytes(values).CopyTo(destination);
            return;
        }

        for (var i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(destination[(8 * i)..], values[i]);
        }
    }

    /// <summary><c>destination[i] = bytes[4i .. 4i+4)</c>, every bit pattern taken as it is. The spans must not overlap.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are not exactly 4 bytes a value.</exception>
    public static void Read(ReadOnlySpan<byte> bytes, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes.Length, 4L * destination.Length);
        bytes.CopyTo(MemoryMarshal.AsBytes(destination));
        FromStored(destination);
    }

    /// <summary><c>destination[i] = bytes[8i .. 8i+8)</c>. The spans must not overlap.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are not exactly 8 bytes a value.</exception>
    public static void Read(ReadOnlySpan<byte> bytes, Span<long> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes.Length, 8L * destination.Length);
        bytes.CopyTo(MemoryMarshal.AsBytes(destination));
        FromStored(destination);
    }

    /// <summary>Turns values whose memory was filled with little-endian bytes into numbers, in place: nothing to do on most machines.</summary>
    public static void FromStored(Span<float> values)
    {
        if (!BitConverter.IsLittleEndian)
        {
            var bits = MemoryMarshal.Cast<float, int>(values);
            BinaryPrimitives.ReverseEndianness(bits, bits);
        }
    }

    /// <summary>Turns values whose memory was filled with little-endian bytes into numbers, in place: nothing to do on most machines.</summary>
    public static void FromStored(Span<long> values)
    {
        if (!BitConverter.IsLittleEndian)
        {
            BinaryPrimitives.ReverseEndianness(values, values);
        }
    }
}
