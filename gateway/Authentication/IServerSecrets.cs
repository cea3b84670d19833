namespace FedServerless.Gateway.Authentication;

/// <summary>Where the host keeps its master secrets: Key Vault on Azure, files that only their owner can read locally.</summary>
public interface IServerSecrets
{
    /// <summary>The active secrets, from memory: it never waits for anything.</summary>
    /// <exception cref="SecretsUnavailableException">There are none, or they are too old to be relied on.</exception>
    SecretRing Ring { get; }

    /// <summary>
    /// Waits while a host that just started reads them for the first time, a few seconds at most, and never after that. Whether there are
    /// any then is said by <see cref="Ring"/>.
    /// </summary>
    Task WaitAsync(CancellationToken cancellationToken);

    /// <summary>
    /// A hint that somebody used a secret which the ring does not have, perhaps because it was rotated a moment ago. It never waits
    /// and never throws; however often it is called, the keeper looks at most once in a while.
    /// </summary>
    void NoteUnknownKid();
}

/// <summary>The secrets do not change while the host runs.</summary>
/// <param name="ring">The secrets.</param>
public sealed class FixedSecrets(SecretRing ring) : IServerSecrets
{
    /// <inheritdoc/>
    public SecretRing Ring { get; } = ring;

    /// <inheritdoc/>
    public Task WaitAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void NoteUnknownKid()
    {
    }
}
