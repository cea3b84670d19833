using FedServerless.Model;
using FedServerless.Wire;
using FedServerless.Wire.Downloads;

namespace FedServerless.Core.Tests.Wire.Downloads;

/// <summary>Encoded models as the server writes them, block by block.</summary>
internal static class EncodedModels
{
    public static byte[] Write(EncodedModelWriter writer, ModelState model, ModelState? start, out ModelState made)
    {
        made = model.Clone();
        using var file = new MemoryStream();
        file.Write(writer.Prelude.Span);
        for (var block = 0; block < writer.Shape.FloatBlocks; block++)
        {
            var (first, count) = writer.Shape.ValuesOf(block);
            var before = start is null || block >= writer.Shape.ParameterBlocks ? [] : start.Values.AsSpan((int)first, count);
            file.Write(writer.Write(block, model.Values.AsSpan((int)first, count), before, made.Values.AsSpan((int)first, count)).Span);
        }

        for (var block = writer.Shape.FloatBlocks; block < writer.Shape.BlockCount; block++)
        {
            var (first, count) = writer.Shape.ValuesOf(block);
            file.Write(writer.Write(block, model.Integers.AsSpan((int)first, count)).Span);
        }

        file.Write(writer.Trailer.Span);
        return file.ToArray();
    }

    public static Digest DigestOf(ModelState model) => Digest.Of(ModelStateFile.ToBytes(model));
}
