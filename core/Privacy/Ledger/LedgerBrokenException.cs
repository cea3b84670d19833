namespace FedServerless.Privacy;

/// <summary>
/// A ledger is not what its writers wrote: an entry is missing, changed, unreadable or impossible. Nothing may be admitted, charged or reported from it until a
/// person has looked.
/// </summary>
/// <param name="population">Whose ledger.</param>
/// <param name="number">The entry at which it breaks.</param>
/// <param name="what">What is wrong with it.</param>
public sealed class LedgerBrokenException(string population, long number, string what)
    : IOException($"The privacy ledger of population '{population}' is broken at entry {number}: {what}.")
{
    /// <summary>Whose ledger.</summary>
    public string Population { get; } = population;

    /// <summary>The entry at which it breaks.</summary>
    public long Number { get; } = number;

    /// <summary>What is wrong with it.</summary>
    public string What { get; } = what;
}
