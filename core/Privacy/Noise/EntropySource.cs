namespace FedServerless.Privacy;

/// <summary>
/// Where unpredictable bytes come from. The only implementation outside tests is <see cref="SystemEntropy"/>; internal, so that no host can configure
/// another.
/// </summary>
internal abstract class EntropySource
{
    /// <summary>Independent uniform bytes.</summary>
    public abstract void Fill(Span<byte> destination);
}
