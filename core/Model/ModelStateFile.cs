using System.Runtime.InteropServices;
using FedServerless.Numerics;

namespace FedServerless.Model;

/// <summary>Whole models from and to safetensors, for edge devices and tools.</summary>
public static class ModelStateFile
{
    private const int ChunkValues = 65_536;

    /// <summary>Reads a model from a stream that holds exactly one file.</summary>
    /// <param name="stream">Positioned at the file's first byte; read to the file's last.</param>
    /// <param name="length">Length of the file, in bytes: what is allocated follows from it.</param>
    /// <exception cref="InvalidDataException">The file is not a safetensors file of float32 and int64 tensors; the message says why.</exception>
    /// <exception cref="EndOfStreamException">The stream is shorter than <paramref name="length"/>.</exception>
    public static ModelState Read(Stream stream, long length) => Read(stream, length, out _);

    /// <summary>Reads a model and its header, for its metadata.</summary>
    /// <inheritdoc cref="Read(Stream, long)"/>
    public static ModelState Read(Stream stream, long length, out SafetensorsHeader header)
    {
        ArgumentNullException.ThrowIfNull(stream);
        header = ReadHeader(stream, length);
        var values = new float[header.Layout.FloatCount];
        var integers = new long[header.Layout.IntegerCount];
        var segments = header.FloatSegments(0, values.Length).Select(segment => (segment, IsInteger: false))
            .Concat(header.IntegerSegments(0, integers.Length).Select(segment => (segment, IsInteger: true)))
            .OrderBy(entry => entry.segment.FileOffset);
        foreach (var (segment, isInteger) in segments)
        {
            for (var done = 0L; done < segment.Count; done += ChunkValues)
            {
                var start = (int)(segment.Start + done);
                var count = (int)Math.Min(ChunkValues, segment.Count - done);
                if (isInteger)
                {
                    stream.ReadExactly(MemoryMarshal.AsBytes(integers.AsSpan(start, count)));
                }
                else
                {
                    stream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan(start, count)));
                }
            }
        }

        LittleEndian.FromStored(values);
        LittleEndian.FromStored(integers);
        return new ModelState(header.Layout, values, integers);
    }

    /// <summary>Reads a model from memory.</summary>
    /// <exception cref="InvalidDataException">The file is not a safetensors file of float32 and int64 tensors; the message says why.</exception>
    public static ModelState Read(byte[] file)
    {
        ArgumentNullException.ThrowIfNull(file);
        using var stream = new MemoryStream(file, writable: false);
        return Read(stream, file.Length);
    }

    /// <summary>Writes a model as its <see cref="CanonicalModelFile"/>.</summary>
    /// <param name="state">The model.</param>
    /// <param name="stream">Takes the file.</param>
    /// <param name="metadata">What else to keep; see <see cref="CanonicalModelFile.Create"/>.</param>
    public static void Write(ModelState state, Stream stream, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(stream);
        stream.Write(CanonicalModelFile.Create(state.Layout, metadata).Header.Span);
        var bytes = new byte[sizeof(long) * ChunkValues];
        for (var start = 0; start < state.Integers.Length; start += ChunkValues)
        {
            var chunk = state.Integers.AsSpan(start, Math.Min(ChunkValues, state.Integers.Length - start));
            LittleEndian.Write(chunk, bytes);
            stream.Write(bytes, 0, sizeof(long) * chunk.Length);
        }

        for (var start = 0; start < state.Values.Length; start += ChunkValues)
        {
            var chunk = state.Values.AsSpan(start, Math.Min(ChunkValues, state.Values.Length - start));
            LittleEndian.Write(chunk, bytes);
            stream.Write(bytes, 0, sizeof(float) * chunk.Length);
        }
    }

    /// <summary>Writes a model into memory.</summary>
    public static byte[] ToBytes(ModelState state, IReadOnlyDictionary<string, string>? metadata = null)
    {
        using var stream = new MemoryStream();
        Write(state, stream, metadata);
        return stream.ToArray();
    }

    private static SafetensorsHeader ReadHeader(Stream stream, long length)
    {
        var start = new byte[SafetensorsHeader.LengthBytes];
        stream.ReadExactly(start);
        if (!SafetensorsHeader.TryReadLength(start, length, out var headerLength, out var problem))
        {
            throw new InvalidDataException(problem);
        }

        var bytes = new byte[headerLength];
        start.CopyTo(bytes, 0);
        stream.ReadExactly(bytes.AsSpan(start.Length));
        return SafetensorsHeader.TryParse(bytes, length, out var header, out problem) ? header : throw new InvalidDataException(problem);
    }
}
