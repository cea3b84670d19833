using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Wire.Updates;

namespace FedServerless.Wire.Downloads;

/// <summary>Reads what <see cref="EncodedModelWriter"/> wrote. Every number is checked before anything is allocated for it.</summary>
public static class EncodedModelReader
{
    /// <summary>Reads a whole model.</summary>
    /// <param name="file">The file; must be able to seek.</param>
    /// <param name="layout">The tensor layout that is expected.</param>
    /// <param name="modelBytes">Length of the model's file that is expected: no more is allocated.</param>
    /// <param name="start">The model that the file builds on, changed in place; null for none.</param>
    /// <param name="startDigest">SHA-256 of that model's file.</param>
    /// <returns>The model. Its canonical file has the digest that the sender announced, unless one of them lies: compare.</returns>
    /// <exception cref="InvalidDataException">It is no such file, is damaged, or is for another model or another start.</exception>
    public static ModelState Read(Stream file, Digest layout, long modelBytes, ModelState? start, Digest startDigest)
    {
        ArgumentNullException.ThrowIfNull(file);
        try
        {
            return ReadChecked(file, layout, modelBytes, start, startDigest);
        }
        catch (EndOfStreamException problem)
        {
            throw new InvalidDataException("It ends too early.", problem);
        }
        catch (ArgumentException problem)
        {
            throw new InvalidDataException(problem.Message, problem);
        }
    }

    private static ModelState ReadChecked(Stream file, Digest layoutDigest, long modelBytes, ModelState? start, Digest startDigest)
    {
        var fixedBytes = new byte[EncodedModelPrelude.Size];
        file.Position = 0;
        file.ReadExactly(fixedBytes);
        var prelude = EncodedModelPrelude.Parse(fixedBytes, file.Length);
        if (prelude.Start != (start is null ? default : startDigest))
        {
            throw new InvalidDataException($"It builds on {prelude.Start}; expected {(start is null ? "nothing" : startDigest)}.");
        }

        if (prelude.ModelLength != modelBytes)
        {
            throw new InvalidDataException($"It is a model of {prelude.ModelLength} bytes; expected {modelBytes}.");
        }

        // Only codecs that cost a byte a value or more: with a sparse one a small file would become a model as large as the sender likes.
        if (!UpdateCodecs.All.TryGet(prelude.CodecId, out var codec) || !DownloadEncodings.Codecs.Contains(codec.Name))
        {
            throw new InvalidDataException(
                $"It is written in codec {prelude.CodecId}; models travel in {string.Join(", ", DownloadEncodings.Codecs)}. A newer SDK may know more.");
        }

        var layout = start?.Layout ?? ReadLayout(file, prelude);
        if (layout.Digest != layoutDigest)
        {
            throw new InvalidDataException($"It is a model of the tensor layout {layout.Digest}; expected {layoutDigest}.");
        }

        var shape = UpdateShape.Create(layout, codec, prelude.BlockCoordinates);
        var payloadAt = EncodedModelPrelude.Size + prelude.HeaderLength;
        if (shape.HeaderLength > file.Length - payloadAt)
        {
            throw new InvalidDataException($"It has {file.Length} bytes; its blocks' hashes alone need {shape.HeaderLength}.");
        }

        var trailer = new byte[shape.HeaderLength];
        file.Position = file.Length - trailer.Length;
        file.ReadExactly(trailer);
        if (!UpdateHeader.TryParse(trailer, shape, prelude.Start, out var blocks, out var problem))
        {
            throw new InvalidDataException(problem);
        }

        if (file.Length != payloadAt + blocks.PayloadLength + trailer.Length)
        {
            throw new InvalidDataException($"It has {file.Length} bytes; expected {payloadAt + blocks.PayloadLength + trailer.Length}.");
        }

        file.Position = payloadAt;
        return ReadBlocks(file, blocks, prelude.Half, start);
    }

    private static TensorLayout ReadLayout(Stream file, EncodedModelPrelude prelude)
    {
        var header = new byte[prelude.HeaderLength];
        file.ReadExactly(header);
        return SafetensorsHeader.TryParse(header, prelude.ModelLength, out var parsed, out var problem)
            ? parsed.Layout
            : throw new InvalidDataException(problem);
    }

    private static ModelState ReadBlocks(Stream file, UpdateHeader blocks, bool half, ModelState? start)
    {
        var shape = blocks.Shape;
        var model = start ?? new ModelState(shape.Layout, new float[shape.Layout.FloatCount], new long[shape.Layout.IntegerCount]);
        var buffer = new byte[shape.MaxPartLength(0)];
        var decoded = new float[(int)Math.Min(shape.BlockCoordinates, shape.Layout.FloatCount)];
        for (var block = 0; block < shape.BlockCount; block++)
        {
            var bytes = buffer.AsSpan(0, blocks.BlockLength(block));
            file.ReadExactly(bytes);
            var (first, count) = shape.ValuesOf(block);
            var section = shape.SectionOf(block);
            var isLegal = blocks.VerifyBlock(block, bytes) && (section == UpdateSection.Integers
                ? blocks.TryDecodeBlock(block, bytes, model.Integers.AsSpan((int)first, count))
                : blocks.TryDecodeBlock(block, bytes, decoded.AsSpan(0, count)));
            if (!isLegal)
            {
                throw new InvalidDataException($"Block {block} is damaged or not legal.");
            }

            if (section != UpdateSection.Integers)
            {
                var values = model.Values.AsSpan((int)first, count);
                var isOnTop = section == UpdateSection.Parameters && start is not null;
                EncodedModelBlocks.Reconstruct(isOnTop ? values : [], decoded.AsSpan(0, count), half && section == UpdateSection.Parameters, values);
            }
        }

        return model;
    }
}
