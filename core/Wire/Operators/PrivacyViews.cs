using FedServerless.Privacy;

namespace FedServerless.Wire;

/// <summary>A population's budget: <c>GET populations/{population}/budget</c>.</summary>
/// <param name="Population">The population.</param>
/// <param name="Standing">The budget and what is left of it.</param>
/// <param name="Entries">Entries of the ledger.</param>
/// <param name="Warnings">What to know of it.</param>
public sealed record BudgetView(string Population, BudgetStanding Standing, long Entries, IReadOnlyList<string> Warnings);

/// <summary>A page of a ledger: <c>GET populations/{population}/ledger?after=N</c>.</summary>
/// <param name="Population">The population.</param>
/// <param name="Entries">In order, at most 1000.</param>
/// <param name="Head">The number of the last entry there is.</param>
/// <param name="HeadDigest">SHA-256 of the last entry's bytes: keep it to notice entries that were taken away.</param>
public sealed record LedgerPage(string Population, IReadOnlyList<LedgerEntry> Entries, long Head, Digest? HeadDigest);

/// <summary>Note something about a population in its ledger: <c>POST populations/{population}/ledger/notes</c>.</summary>
/// <param name="Reason">What, 1 to 1000 characters.</param>
/// <param name="Run">The run it is about, or null.</param>
public sealed record LedgerNoteRequest(string Reason, string? Run = null);

/// <summary>A note that stands: answer to <see cref="LedgerNoteRequest"/>.</summary>
/// <param name="Number">Its entry.</param>
public sealed record LedgerNoteView(long Number);
