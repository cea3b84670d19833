using FedServerless.Wire;

namespace FedServerless.Compression;

/// <summary>The built-in codecs and their names.</summary>
public static class UpdateCodecs
{
    /// <summary>Four bytes a value, exact. The default. Id 1.</summary>
    public const string Float32 = "float32";

    /// <summary>Two bytes a value: IEEE binary16, round to nearest even; magnitudes above 65504 saturate. Id 2.</summary>
    public const string Float16 = "float16";

    /// <summary>
    /// One byte a value and one float32 scale a block: <c>x ≈ scale · q</c>, q in [−127, 127], scale = max|x| / 127. Id 3.
    /// </summary>
    public const string Int8 = "int8";

    /// <summary>Every built-in codec, in order of id. Ids 128 to 255 are left to codecs of a deployment's own.</summary>
    public static UpdateCodecSet All { get; } = new([new Float32Codec(), new Float16Codec(), new Int8Codec()]);

    /// <summary>The codec of a round as its plan sets it up.</summary>
    /// <param name="update">A legal specification, with what the plan added to it.</param>
    /// <exception cref="ArgumentException">There is no such codec; the message lists those there are.</exception>
    public static IUpdateCodec Of(UpdateSpec update)
    {
        ArgumentNullException.ThrowIfNull(update);
        return All.Get(update.Codec);
    }
}
