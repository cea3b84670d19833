using FedServerless.Activities.State;
using FedServerless.Capacity;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.Activities.Metering;

/// <summary>
/// What rounds used, over all hosts: each process keeps a small object per round that nobody else writes, overwritten now and then.
/// An estimate: what a process has not written yet when it dies is lost, and what is running is counted when it ends.
/// </summary>
public sealed class UsageBook(IObjectStore store, UsageMeter meter, TimeProvider time)
{
    /// <summary>Requests in one piece of work that are worth writing at once.</summary>
    public const int HeavyRequests = 1000;

    /// <summary>Most rounds that a process keeps in mind; past it those are forgotten that are wholly written.</summary>
    public const int MaxAccounts = 64;

    /// <summary>The meter whose counts are kept.</summary>
    public UsageMeter Meter => meter;

    /// <summary>What things cost.</summary>
    public PriceTable Prices => meter.Options.Prices;

    /// <summary>
    /// Writes what is due: rounds not written for a while, and those of which much is not written. Of many callers at once one
    /// writes; the others leave it to that one.
    /// </summary>
    public async Task FlushDueAsync(CancellationToken cancellationToken)
    {
        foreach (var account in meter.Accounts)
        {
            account.WrittenAt ??= time.GetUtcNow();
            if (!IsDue(account) || !await account.OneWriter.WaitAsync(TimeSpan.Zero, cancellationToken))
            {
                continue;
            }

            try
            {
                // Asked again: another may have written between the question and the lock.
                if (IsDue(account))
                {
                    await WriteAsync(account, cancellationToken);
                }
            }
            finally
            {
                account.OneWriter.Release();
            }

            Prune(account);
        }
    }

    /// <summary>Writes everything, before a host stops.</summary>
    public async Task FlushAllAsync(CancellationToken cancellationToken)
    {
        foreach (var account in meter.Accounts.Where(account => account.Tally.Sum != account.Written))
        {
            await FlushAsync(account, cancellationToken);
        }
    }

    /// <summary>Writes what this process has counted for a round, the work at hand included.</summary>
    public Task FlushAsync(string run, int round, CancellationToken cancellationToken) => FlushAsync(meter.Account(run, round), cancellationToken);

    /// <summary>What a round used so far: this process's counts as of now, and every other's as last written.</summary>
    public async Task<ResourceUsage> OfRoundAsync(string run, int round, CancellationToken cancellationToken)
    {
        var own = meter.Accounts.Where(account => account.Run == run && account.Round == round).ToList();
        var others = new List<string>();
        await foreach (var facts in store.ListAsync(StoreNames.RoundUsage(run, round), cancellationToken))
        {
            if (!own.Exists(account => facts.Name == NameOf(account)))
            {
                others.Add(facts.Name);
            }
        }

        var sum = ResourceUsage.Sum(own.Select(account => account.Tally.Sum));
        foreach (var name in others)
        {
            sum += (await store.FindAsync(name, StoreJson.Default.ResourceUsage, cancellationToken))?.Value ?? ResourceUsage.None;
        }

        return sum;
    }

    /// <summary>
    /// What a run used so far. A round's outcome says what all rounds up to it had used when it closed; only what the last of them used
    /// since, and the round under way, is looked up.
    /// </summary>
    /// <param name="run">The run.</param>
    /// <param name="closed">Its last closed round; 0 for none.</param>
    /// <param name="last">That round's outcome, or null.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<ResourceUsage> OfRunAsync(string run, int closed, RoundOutcomeDocument? last, CancellationToken cancellationToken)
    {
        var open = await OfRoundAsync(run, closed + 1, cancellationToken);
        if (closed == 0)
        {
            return open;
        }

        var current = await OfRoundAsync(run, closed, cancellationToken);
        var before = last?.Account is { } account ? account.Before : ResourceUsage.None;
        var devices = last?.Account?.Devices ?? ResourceUsage.None;
        return before + current + devices + open;
    }

    /// <summary>What some usage costs, to be shown.</summary>
    public CostView Price(ResourceUsage usage) => new(Prices.CostOf(usage), Prices.Currency, Prices.Name, usage);

    private async Task FlushAsync(UsageAccount account, CancellationToken cancellationToken)
    {
        await account.OneWriter.WaitAsync(cancellationToken);
        try
        {
            await WriteAsync(account, cancellationToken);
        }
        finally
        {
            account.OneWriter.Release();
        }

        Prune(account);
    }

    private bool IsDue(UsageAccount account)
    {
        var sum = account.Tally.Sum;
        return sum.Requests - account.Written.Requests >= HeavyRequests
            || (sum != account.Written && time.GetUtcNow() - account.WrittenAt >= meter.Options.FlushEvery);
    }

    private async Task WriteAsync(UsageAccount account, CancellationToken cancellationToken)
    {
        // The write itself is one more; whether it has been counted yet is seen at the next one.
        var sum = account.Tally.Sum;
        await store.PutAsync(
            NameOf(account), sum with { Writes = sum.Writes + 1 }, StoreJson.Default.ResourceUsage, PutCondition.Overwrite, cancellationToken);
        account.Written = sum;
        account.WrittenAt = time.GetUtcNow();
    }

    private void Prune(UsageAccount latest)
    {
        if (meter.Accounts.Count() <= MaxAccounts)
        {
            return;
        }

        foreach (var account in meter.Accounts.Where(account => account != latest && account.Tally.Sum == account.Written))
        {
            meter.Forget(account);
        }
    }

    private static string NameOf(UsageAccount account) => StoreNames.RoundUsage(account.Run, account.Round) + account.Id + ".json";
}
