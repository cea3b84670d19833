namespace FedServerless.Gateway.About;

/// <summary>Knows something that can be wrong with a host while it runs. Health asks every one that is registered.</summary>
public interface IHealthSource
{
    /// <summary>What is wrong now; null when nothing is. It answers from memory, or within a second.</summary>
    Task<HealthFinding?> LookAsync(CancellationToken cancellationToken);
}

/// <summary>Something that is wrong with a host.</summary>
/// <param name="Sentence">For people, what to do included; anybody may read it.</param>
/// <param name="IsFatal">True when the host cannot serve with it; false for a warning.</param>
public sealed record HealthFinding(string Sentence, bool IsFatal);
