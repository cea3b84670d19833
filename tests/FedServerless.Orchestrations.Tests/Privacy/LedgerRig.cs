using FedServerless.Activities.Privacy;
using FedServerless.Activities.State;
using FedServerless.Privacy;
using FedServerless.Storage;
using FedServerless.Testing;
using FedServerless.Testing.Storage;

namespace FedServerless.Orchestrations.Tests.Privacy;

/// <summary>A disk with a ledger on it and as many hosts as a test wants: a host is a <see cref="PrivacyLedger"/> with a memory of its own.</summary>
internal sealed class LedgerRig
{
    public const string Population = "default";

    /// <summary>A round of a hundred of a thousand clients, noise twice the clip.</summary>
    public static readonly NoisyRelease Round = new(ClientSampling.Poisson, 0.1, 2) { GridBits = 12 };

    /// <summary>ε = 3 at δ = 1e-5: some 130 such rounds.</summary>
    public static readonly BudgetSetting Budget = new(3, 1e-5, 1000);

    public InMemoryObjectStore Disk { get; } = new();

    public ManualTimeProvider Time { get; } = new();

    public PrivacyLedger Host(IObjectStore? store = null) => new(store ?? Disk, Time);

    public async Task<LedgerRig> WithBudgetAsync(BudgetSetting? budget = null)
    {
        var answer = await Host().SetBudgetAsync(Population, budget ?? Budget, "officer", CancellationToken.None);
        Assert.Null(answer.Refusal);
        return this;
    }

    public Task<LedgerState> StateAsync() => Host().ReadAsync(Population, CancellationToken.None);

    public byte[] Entry(long number) => Disk.Peek(StoreNames.LedgerEntry(Population, number))!;

    /// <summary>Puts bytes where entry <paramref name="number"/> is or would be.</summary>
    public Task ForgeAsync(long number, ReadOnlyMemory<byte> bytes) =>
        Disk.PutBytesAsync(StoreNames.LedgerEntry(Population, number), bytes, PutCondition.Overwrite, CancellationToken.None);
}
