using FedServerless.Compression;

namespace FedServerless.Wire.Downloads;

/// <summary>How a model travels to devices: values of <see cref="DownloadSpec.Encodings"/>.</summary>
public static class DownloadEncodings
{
    /// <summary>The model's own file, four bytes a value. Exact.</summary>
    public const string Float32 = "float32";

    /// <summary>Two bytes a parameter: each rounded to IEEE binary16.</summary>
    public const string Float16 = "float16";

    /// <summary>One byte a parameter and a scale a block.</summary>
    public const string Int8 = "int8";

    /// <summary>What changed since a version that the device holds.</summary>
    public const string Delta = "delta";

    /// <summary>Every name.</summary>
    public static IReadOnlyList<string> Names { get; } = [Float32, Float16, Int8, Delta];

    /// <summary>The codecs that the parameters of an encoded file may be in: those whose blocks have one length, of a byte a value or more.</summary>
    internal static IReadOnlyList<string> Codecs { get; } = [UpdateCodecs.Float32, UpdateCodecs.Float16, UpdateCodecs.Int8];
}
