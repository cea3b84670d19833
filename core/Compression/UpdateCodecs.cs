using FedServerless.Wire;

namespace FedServerless.Compression;

/// <summary>The built-in codecs and their names; docs/concepts/compression.md says which to use when.</summary>
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

    /// <summary>The largest values of the whole update, as float32, and their places. Id 4.</summary>
    public const string TopK = "top-k";

    /// <summary><see cref="TopK"/> with the values as float16. Id 5.</summary>
    public const string TopKFloat16 = "top-k-float16";

    /// <summary><see cref="TopK"/> with the values as int8: the fewest bytes. Id 6.</summary>
    public const string TopKInt8 = "top-k-int8";

    /// <summary>Values at coordinates drawn for the round, the same for all clients, as float32. Id 7.</summary>
    public const string RandomK = "random-k";

    /// <summary><see cref="RandomK"/> with the values as float16. Id 8.</summary>
    public const string RandomKFloat16 = "random-k-float16";

    /// <summary><see cref="RandomK"/> with the values as int8. Id 9.</summary>
    public const string RandomKInt8 = "random-k-int8";

    /// <summary>Half a byte a value and one float32 scale for each 1280: q in [−7, 7], scale = max|x| / 7. Id 10.</summary>
    public const string Int4 = "int4";

    /// <summary>Five values of −s, 0 or s a byte and one float32 s for each 1280; rounded at random (TernGrad). Id 11.</summary>
    public const string Ternary = "ternary";

    /// <summary>One bit a value and one float32 scale for each 1280: the sign, times the mean magnitude. Id 12.</summary>
    public const string Sign = "sign";

    /// <summary>Share of the parameters that sparse codecs keep where a specification does not say.</summary>
    public const double DefaultKeep = 0.01;

    // One row a codec: what it is called, whether a share and a rounding belong to it, and how a specification makes it.
    private static readonly Row[] Rows =
    [
        new(Float32, Keeps: false, Rounds: false, _ => new Float32Codec()),
        new(Float16, Keeps: false, Rounds: false, _ => new Float16Codec()),
        new(Int8, Keeps: false, Rounds: true, update => new Int8Codec(IsAtRandom(update))),
        new(TopK, Keeps: true, Rounds: false, update => new TopKCodec(TopK, 4, new Float32Codec(), KeepOf(update))),
        new(TopKFloat16, Keeps: true, Rounds: false, update => new TopKCodec(TopKFloat16, 5, new Float16Codec(), KeepOf(update))),
        new(TopKInt8, Keeps: true, Rounds: true, update => new TopKCodec(TopKInt8, 6, new Int8Codec(IsAtRandom(update)), KeepOf(update))),
        new(RandomK, Keeps: true, Rounds: false, update => Mask(RandomK, 7, new Float32Codec(), update)),
        new(RandomKFloat16, Keeps: true, Rounds: false, update => Mask(RandomKFloat16, 8, new Float16Codec(), update)),
        new(RandomKInt8, Keeps: true, Rounds: true, update => Mask(RandomKInt8, 9, new Int8Codec(IsAtRandom(update)), update)),
        new(Int4, Keeps: false, Rounds: true, update => new Int4Codec(IsAtRandom(update))),
        new(Ternary, Keeps: false, Rounds: false, _ => new TernaryCodec()),
        new(Sign, Keeps: false, Rounds: false, _ => new SignCodec()),
    ];

    /// <summary>Every built-in codec with its defaults, in order of id. Ids 128 to 255 are left to codecs of a deployment's own.</summary>
    public static UpdateCodecSet All { get; } = new(Rows.Select(row => row.Make(new UpdateSpec())));

    /// <summary>The codec of a round as its plan sets it up.</summary>
    /// <param name="update">A legal specification, with what the plan added to it.</param>
    /// <exception cref="ArgumentException">There is no such codec (the message lists those there are), or a parameter of it is not legal.</exception>
    public static IUpdateCodec Of(UpdateSpec update)
    {
        ArgumentNullException.ThrowIfNull(update);
        return Find(update.Codec)?.Make(update) ?? All.Get(update.Codec);
    }

    /// <summary>True for a codec that leaves parameters out: <see cref="UpdateSpec.Keep"/> says how many it keeps.</summary>
    public static bool Keeps(string? name) => Find(name)?.Keeps ?? false;

    /// <summary>True for a codec that rounds as <see cref="UpdateSpec.Rounding"/> says.</summary>
    public static bool Rounds(string? name) => Find(name)?.Rounds ?? false;

    private static Row? Find(string? name) => Rows.FirstOrDefault(row => row.Name == name);

    private static double KeepOf(UpdateSpec update) => update.Keep switch
    {
        null => DefaultKeep,
        > 0 and <= 1 and var keep => keep,
        var keep => throw new ArgumentException($"The share to keep is {keep}; expected a number above 0, at most 1.", nameof(update)),
    };

    private static bool IsAtRandom(UpdateSpec update) => update.Rounding switch
    {
        null or UpdateRoundings.Nearest => false,
        UpdateRoundings.Stochastic => true,
        var rounding => throw new ArgumentException(
            $"The rounding is '{rounding}'; expected one of {string.Join(", ", UpdateRoundings.Names)}.", nameof(update)),
    };

    private static RandomKCodec Mask(string name, byte id, IUpdateCodec values, UpdateSpec update) =>
        new(name, id, values, KeepOf(update), update.MaskSeed ?? 0);

    private sealed record Row(string Name, bool Keeps, bool Rounds, Func<UpdateSpec, IUpdateCodec> Make);
}
