using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace FedServerless.Client.Training;

/// <summary>Reads samples from files, gzipped or not.</summary>
public static class SampleFiles
{
    /// <summary>Most bytes of a file, uncompressed: 1 GiB.</summary>
    public const int MaxBytes = 1 << 30;

    /// <summary>
    /// Reads comma-separated numbers: one sample a line, all lines equally long, no header; the last column is the class, a whole
    /// number from 0. Empty lines are passed over.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="classCount">Classes, 1 or more.</param>
    /// <param name="scale">Factor of every feature: 1/16 for the optical digits. Default 1.</param>
    /// <exception cref="InvalidDataException">The content is anything else; the message names the line.</exception>
    public static LabelledSamples ReadCsv(string path, int classCount, double scale = 1)
    {
        var text = Encoding.UTF8.GetString(ReadAll(path)).AsSpan();
        var features = new List<float>();
        var labels = new List<int>();
        var (line, columns) = (0, 0);
        foreach (var raw in text.EnumerateLines())
        {
            line++;
            var row = raw.Trim();
            if (row.IsEmpty)
            {
                continue;
            }

            var before = features.Count;
            var label = ParseRow(row, line, scale, features);
            columns = columns == 0 ? features.Count - before : columns;
            if (features.Count - before != columns || columns == 0)
            {
                throw new InvalidDataException($"Line {line} has {features.Count - before} features; expected {Math.Max(columns, 1)} and a label.");
            }

            labels.Add(label < classCount ? label : throw new InvalidDataException($"Line {line} has the label {label}; expected 0 to {classCount - 1}."));
        }

        return labels.Count > 0
            ? new LabelledSamples([.. features], [.. labels], columns, classCount)
            : throw new InvalidDataException($"{path} holds no sample.");
    }

    /// <summary>Reads a pair of IDX files as MNIST comes: unsigned bytes [n, …] and unsigned byte labels [n].</summary>
    /// <param name="imagesPath">The features' file.</param>
    /// <param name="labelsPath">The labels' file.</param>
    /// <param name="classCount">Classes, 1 or more.</param>
    /// <param name="scale">Factor of every feature. Default 1/255.</param>
    /// <exception cref="InvalidDataException">A file is not IDX of unsigned bytes, has another length than its header says, or they disagree.</exception>
    public static LabelledSamples ReadIdx(string imagesPath, string labelsPath, int classCount, double scale = 1.0 / 255)
    {
        var (images, imageShape) = ReadIdx(imagesPath);
        var (labels, labelShape) = ReadIdx(labelsPath);
        if (labelShape.Length != 1 || imageShape.Length < 2 || imageShape[0] != labelShape[0] || labelShape[0] == 0)
        {
            throw new InvalidDataException(
                $"Images of shape [{string.Join(", ", imageShape)}] and labels of shape [{string.Join(", ", labelShape)}] do not go together.");
        }

        var features = new float[images.Length];
        for (var i = 0; i < images.Length; i++)
        {
            features[i] = (float)(images.Span[i] * scale);
        }

        var wrong = labels.Span.IndexOfAnyInRange((byte)Math.Min(classCount, 255), byte.MaxValue);
        return wrong < 0 || classCount > 255
            ? new LabelledSamples(features, [.. labels.Span.ToArray().Select(label => (int)label)], images.Length / imageShape[0], classCount)
            : throw new InvalidDataException($"Label {wrong} of {labelsPath} is {labels.Span[wrong]}; expected 0 to {classCount - 1}.");
    }

    private static int ParseRow(ReadOnlySpan<char> row, int line, double scale, List<float> features)
    {
        var last = row.LastIndexOf(',');
        if (last < 0 || !int.TryParse(row[(last + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var label))
        {
            throw new InvalidDataException($"Line {line} does not end in a comma and a label; expected a whole number from 0.");
        }

        var values = row[..last];
        foreach (var range in values.Split(','))
        {
            if (!double.TryParse(values[range], NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                || !float.IsFinite((float)(value * scale)))
            {
                throw new InvalidDataException($"Line {line} holds '{values[range]}'; expected a finite number.");
            }

            features.Add((float)(value * scale));
        }

        return label;
    }

    private static (ReadOnlyMemory<byte> Content, int[] Shape) ReadIdx(string path)
    {
        ReadOnlyMemory<byte> file = ReadAll(path);
        var span = file.Span;

        // Two zeros, the element type (8: unsigned byte), the rank, then one big-endian 32-bit size a dimension.
        if (span.Length < 4 || span[0] != 0 || span[1] != 0 || span[2] != 8 || span[3] is 0 or > 8 || span.Length < 4 + (4 * span[3]))
        {
            throw new InvalidDataException($"{path} is not an IDX file of unsigned bytes.");
        }

        var shape = new int[span[3]];
        var expected = 1L;
        for (var i = 0; i < shape.Length; i++)
        {
            shape[i] = BinaryPrimitives.ReadInt32BigEndian(span[(4 + (4 * i))..]);
            expected = shape[i] >= 0 && expected <= MaxBytes ? expected * shape[i] : long.MaxValue;
        }

        var content = file[(4 + (4 * shape.Length))..];
        return content.Length == expected
            ? (content, shape)
            : throw new InvalidDataException($"{path} holds {content.Length} values; its header says [{string.Join(", ", shape)}].");
    }

    private static byte[] ReadAll(string path)
    {
        using var file = File.OpenRead(path);
        var zipped = file.ReadByte() == 0x1F && file.ReadByte() == 0x8B;
        file.Position = 0;
        using Stream source = zipped ? new GZipStream(file, CompressionMode.Decompress) : file;
        using var memory = new MemoryStream();
        var buffer = new byte[81_920];
        int read;
        while ((read = source.Read(buffer)) > 0)
        {
            if (memory.Length + read > MaxBytes)
            {
                throw new InvalidDataException($"{path} holds more than {MaxBytes} bytes.");
            }

            memory.Write(buffer, 0, read);
        }

        return memory.ToArray();
    }
}
