using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FedServerless.Wire;

/// <summary>
/// A SHA-256 digest: 32 bytes, written as 64 lower-case hexadecimal digits. The default value is all zeros and never
/// the digest of anything known.
/// </summary>
[JsonConverter(typeof(DigestJsonConverter))]
[InlineArray(Size)]
public struct Digest : IEquatable<Digest>
{
    /// <summary>Length in bytes.</summary>
    public const int Size = 32;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private byte _first;

    /// <summary>The SHA-256 of <paramref name="content"/>.</summary>
    public static Digest Of(ReadOnlySpan<byte> content)
    {
        var digest = default(Digest);
        SHA256.HashData(content, digest.Bytes());
        return digest;
    }

    /// <summary>Takes the 32 bytes of a digest.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="bytes"/> is not 32 bytes long.</exception>
    public static Digest FromBytes(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes.Length, Size);
        var digest = default(Digest);
        bytes.CopyTo(digest.Bytes());
        return digest;
    }

    /// <summary>Reads 64 hexadecimal digits in lower case; anything else is refused.</summary>
    public static bool TryParse(string? text, out Digest digest)
    {
        digest = default;
        if (text is null || text.Length != 2 * Size || text.AsSpan().ContainsAnyExcept(HexDigits))
        {
            return false;
        }

        return Convert.FromHexString(text, digest.Bytes(), out _, out _) == OperationStatus.Done;
    }

    /// <summary>Reads 64 hexadecimal digits in lower case.</summary>
    /// <exception cref="FormatException"><paramref name="text"/> is anything else.</exception>
    public static Digest Parse(string text) => TryParse(text, out var digest)
        ? digest
        : throw new FormatException("A SHA-256 digest is 64 lower-case hexadecimal digits.");

    /// <summary>The 32 bytes.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> AsSpan() => MemoryMarshal.CreateReadOnlySpan(in _first, Size);

    /// <inheritdoc/>
    public readonly bool Equals(Digest other) => AsSpan().SequenceEqual(other.AsSpan());

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is Digest other && Equals(other);

    /// <inheritdoc/>
    public override readonly int GetHashCode() => MemoryMarshal.Read<int>(AsSpan());

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override readonly string ToString() => Convert.ToHexStringLower(AsSpan());

    /// <summary>True when the bytes are the same.</summary>
    public static bool operator ==(Digest left, Digest right) => left.Equals(right);

    /// <summary>True when any byte differs.</summary>
    public static bool operator !=(Digest left, Digest right) => !left.Equals(right);

    [UnscopedRef]
    private Span<byte> Bytes() => MemoryMarshal.CreateSpan(ref _first, Size);
}

/// <summary>Writes a <see cref="Digest"/> as a string of hexadecimal digits; generated contexts of other assemblies need it public.</summary>
public sealed class DigestJsonConverter : JsonConverter<Digest>
{
    /// <inheritdoc/>
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Digest.TryParse(reader.TokenType == JsonTokenType.String ? reader.GetString() : null, out var digest)
            ? digest
            : throw new JsonException("A SHA-256 digest is 64 lower-case hexadecimal digits.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
