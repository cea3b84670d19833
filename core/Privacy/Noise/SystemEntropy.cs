using System.Security.Cryptography;

namespace FedServerless.Privacy;

/// <summary>The operating system's cryptographic generator.</summary>
internal sealed class SystemEntropy : EntropySource
{
    public static readonly SystemEntropy Instance = new();

    public override void Fill(Span<byte> destination) => RandomNumberGenerator.Fill(destination);
}
