namespace FedServerless.Compression;

/// <summary>The built-in codecs' names.</summary>
public static class UpdateCodecs
{
    /// <summary>Four bytes a value, exact. The default.</summary>
    public const string Float32 = "float32";

    /// <summary>Two bytes a value: IEEE binary16, round to nearest even; magnitudes above 65504 saturate.</summary>
    public const string Float16 = "float16";

    /// <summary>One byte a value and one float32 scale a block: <c>x ≈ scale · q</c>, q in [−127, 127], scale = max|x| / 127.</summary>
    public const string Int8 = "int8";
}
