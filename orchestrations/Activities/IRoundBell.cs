namespace FedServerless.Activities;

/// <summary>
/// Activities ring when a population's open work changed, so that a host that holds check-ins answers at once. A hint: a host
/// without held check-ins does nothing.
/// </summary>
public interface IRoundBell
{
    /// <summary>Something of this population opened or closed.</summary>
    void Ring(string population);
}

/// <summary>Who was seen lately; hosts note it at check-in.</summary>
public interface IPresence
{
    /// <summary>Enrolled, unrevoked clients of the population seen within the presence window, sorted, ordinal.</summary>
    Task<IReadOnlyList<string>> SeenLatelyAsync(string population, CancellationToken cancellationToken);

    /// <summary>Bytes a second to the store of those of them that have measured it, by client; nobody's by default.</summary>
    Task<IReadOnlyDictionary<string, double>> UplinksAsync(string population, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyDictionary<string, double>>(new Dictionary<string, double>());
}
