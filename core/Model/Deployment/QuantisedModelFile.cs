using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using FedServerless.Numerics;

namespace FedServerless.Model;

/// <summary>
/// A trained model with its weights in bytes, for deployment: a safetensors file that any framework reads. A parameter <c>w</c> of two dimensions or
/// more is <c>w</c>, I8, with <c>w.scale</c>, F32, one value for each of its first dimension: <c>w ≈ I8·scale</c>. All else is as it was. It is made
/// after training and cannot be trained on.
/// </summary>
public static class QuantisedModelFile
{
    /// <summary>The largest magnitude of a byte: symmetric, −128 is not used.</summary>
    public const int Largest = 127;

    private const string Scale = ".scale";

    /// <summary>Writes the file.</summary>
    /// <param name="model">Finite.</param>
    /// <param name="stream">Takes the file.</param>
    /// <exception cref="ArgumentException">A tensor has the name of another one's scale.</exception>
    public static void Write(ModelState model, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(stream);
        var tensors = Encode(model);
        if (tensors.DistinctBy(tensor => tensor.Name).Count() != tensors.Count)
        {
            throw new ArgumentException($"A tensor is named as another one's '{Scale}'.", nameof(model));
        }

        // Wider types first, so that every tensor is aligned.
        tensors = [.. tensors.OrderByDescending(tensor => tensor.Width)];
        var header = Header(tensors);
        Span<byte> length = stackalloc byte[SafetensorsHeader.LengthBytes];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        stream.Write(header);
        tensors.ForEach(tensor => stream.Write(tensor.Bytes));
    }

    /// <summary>
    /// What a program that reads the file computes with: <c>round(w/s)·s</c>, ties to even, <c>s = max|row|/127</c>; a row of zeros stays.
    /// </summary>
    /// <param name="model">Finite; not changed.</param>
    public static ModelState Reconstruct(ModelState model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var copy = model.Clone();
        for (var i = 0; i < model.Layout.Tensors.Count; i++)
        {
            var tensor = model.Layout.Tensors[i];
            if (IsWeight(tensor))
            {
                var values = copy.Values.AsSpan((int)model.Layout.Offsets[i], (int)tensor.Length);
                var (bytes, scales) = Quantise(values, tensor.Shape[0]);
                for (var j = 0; j < values.Length; j++)
                {
                    values[j] = bytes[j] * scales[j / (values.Length / scales.Length)];
                }
            }
        }

        return copy;
    }

    private static bool IsWeight(TensorSpec tensor) => tensor.Role == TensorRole.Parameter && tensor.Shape.Count >= 2 && tensor.Length > 0;

    private static (sbyte[] Bytes, float[] Scales) Quantise(ReadOnlySpan<float> values, int rows)
    {
        var (bytes, scales) = (new sbyte[values.Length], new float[rows]);
        var width = values.Length / rows;
        for (var row = 0; row < rows; row++)
        {
            var largest = 0f;
            foreach (var value in values.Slice(row * width, width))
            {
                largest = Math.Max(largest, Math.Abs(value));
            }

            scales[row] = largest / Largest;
            for (var j = row * width; j < (row + 1) * width; j++)
            {
                bytes[j] = scales[row] == 0 ? (sbyte)0 : (sbyte)Math.Clamp(Math.Round((double)values[j] / scales[row], MidpointRounding.ToEven), -Largest, Largest);
            }
        }

        return (bytes, scales);
    }

    private static List<Tensor> Encode(ModelState model)
    {
        var tensors = new List<Tensor>();
        for (var i = 0; i < model.Layout.Tensors.Count; i++)
        {
            var tensor = model.Layout.Tensors[i];
            var (offset, length) = ((int)model.Layout.Offsets[i], (int)tensor.Length);
            if (tensor.Role == TensorRole.Integer)
            {
                var integers = new byte[sizeof(long) * length];
                LittleEndian.Write(model.Integers.AsSpan(offset, length), integers);
                tensors.Add(new Tensor(tensor.Name, "I64", sizeof(long), tensor.Shape, integers));
            }
            else if (IsWeight(tensor))
            {
                var (bytes, scales) = Quantise(model.Values.AsSpan(offset, length), tensor.Shape[0]);
                tensors.Add(new Tensor(tensor.Name, "I8", 1, tensor.Shape, MemoryMarshal.AsBytes<sbyte>(bytes).ToArray()));
                tensors.Add(new Tensor(tensor.Name + Scale, "F32", sizeof(float), [tensor.Shape[0]], Floats(scales)));
            }
            else
            {
                tensors.Add(new Tensor(tensor.Name, "F32", sizeof(float), tensor.Shape, Floats(model.Values.AsSpan(offset, length))));
            }
        }

        return tensors;
    }

    private static byte[] Floats(ReadOnlySpan<float> values)
    {
        var bytes = new byte[sizeof(float) * values.Length];
        LittleEndian.Write(values, bytes);
        return bytes;
    }

    private static byte[] Header(List<Tensor> tensors)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            json.WriteString("fed.quantised", string.Create(CultureInfo.InvariantCulture, $"int8, symmetric, a scale a row, largest {Largest}"));
            json.WriteEndObject();
            var offset = 0L;
            foreach (var tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.Type);
                json.WriteStartArray("shape");
                foreach (var dimension in tensor.Shape)
                {
                    json.WriteNumberValue(dimension);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.Bytes.Length);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (buffer.Length % 8 != 0)
        {
            buffer.WriteByte((byte)' ');
        }

        return buffer.ToArray();
    }

    private sealed record Tensor(string Name, string Type, int Width, IReadOnlyList<int> Shape, byte[] Bytes);
}
