namespace FedServerless.Privacy;

/// <summary>What an entry of a ledger may say.</summary>
public static class LedgerEntryKinds
{
    /// <summary>The population may spend so much from here on. The first entry of every ledger, and the only one that changes what is admitted.</summary>
    public const string Budget = "budget";

    /// <summary>A round is planned and may be charged: it counts as spent.</summary>
    public const string Reserve = "reserve";

    /// <summary>The first noisy byte of a round may be written: it is spent, for ever.</summary>
    public const string Charge = "charge";

    /// <summary>A reserved round certainly wrote nothing: it does not count any more.</summary>
    public const string Release = "release";

    /// <summary>A sentence for people that changes nothing: an erasure request, a run found without privacy.</summary>
    public const string Note = "note";

    /// <summary>Every kind.</summary>
    public static IReadOnlyList<string> All { get; } = [Budget, Reserve, Charge, Release, Note];
}
