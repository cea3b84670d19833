namespace FedServerless.Activities.Privacy;

/// <summary>Whether a round may take place.</summary>
/// <param name="Admitted">True when it stands in the ledger as reserved or charged, now or before.</param>
/// <param name="Refusal">Why not, with the numbers; null when admitted.</param>
public sealed record ReserveAnswer(bool Admitted, string? Refusal);
