using System.Globalization;

namespace FedServerless.Client.Adaptivity;

/// <summary>Whether this is a time for work: as the host says the device is, by the day's bytes, and by the rest a plan asked for.</summary>
internal sealed class Willingness(DayBudget budget, FedClientOptions options)
{
    /// <summary>Longest that nothing is looked at: clocks are set and devices sleep, so that no long wait is trusted.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    /// <summary>What keeps the device from checking in at all; null for nothing. One that has not checked in is not selected.</summary>
    public Deferral? BeforeCheckIn()
    {
        budget.Follow(null);
        return Conditions() ?? Resting() ?? Spent(1);
    }

    /// <summary>What keeps it from a piece of work that moves so many more bytes; null for nothing.</summary>
    /// <exception cref="DeferredException">Something does.</exception>
    public void Require(long bytes)
    {
        if ((Conditions() ?? Spent(bytes)) is { } deferral)
        {
            throw new DeferredException(deferral);
        }
    }

    /// <summary>Only the day's bytes: in the middle of a transfer.</summary>
    /// <exception cref="DeferredException">There are fewer left.</exception>
    public void RequireBytes(long bytes)
    {
        if (Spent(bytes) is { } deferral)
        {
            throw new DeferredException(deferral);
        }
    }

    private Deferral? Conditions()
    {
        if (options.Conditions is not { } ask)
        {
            return null;
        }

        DeviceConditions conditions;
        try
        {
            conditions = ask() ?? throw new InvalidOperationException("It returned null.");
        }
        catch (Exception problem)
        {
            // Not known is not the same as good: somebody's battery or bill is at stake.
            return Later($"the host could not say how the device is doing: {problem.Message}");
        }

        return conditions switch
        {
            { IsMetered: true } when !options.UseMeteredNetworks => Later("the network is metered"),
            { Battery: { } charge, IsCharging: not true } when !(charge >= options.MinBattery) => Later(Battery(charge)),
            { IsIdle: false } when !options.TrainWhenBusy => Later("the device is in use"),
            _ => null,
        };

        // Down, so that a charge just below the bound does not read as the bound; half a millionth for what has no exact double.
        static string Battery(double charge) =>
            string.Create(CultureInfo.InvariantCulture, $"the battery is at {Math.Floor((charge * 100) + 5e-7)} % and not charging");

        Deferral Later(string reason) => new(reason, options.ConditionsInterval);
    }

    private Deferral? Resting() => budget.Rest is var rest && rest > TimeSpan.Zero
        ? new Deferral("it took part a short time ago, and the plan asks for a rest", Shorter(rest))
        : null;

    private Deferral? Spent(long bytes) => budget.Limit != long.MaxValue && budget.Left < bytes
        ? new Deferral($"of {budget.Limit} bytes a day {budget.Left} are left", Shorter(budget.UntilMidnight))
        : null;

    private static TimeSpan Shorter(TimeSpan pause) => pause < LongestPause ? pause : LongestPause;
}
