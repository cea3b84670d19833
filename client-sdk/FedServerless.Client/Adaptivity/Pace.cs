using FedServerless.Wire;

namespace FedServerless.Client.Adaptivity;

/// <summary>When this device works, and what it tells of itself: all that the loop asks between two pieces of work.</summary>
internal sealed class Pace(DeviceMeter meter, DayBudget budget, Willingness willing, FedClientOptions options)
{
    /// <summary>What keeps the device from checking in; null for nothing.</summary>
    public Deferral? BeforeCheckIn() => willing.BeforeCheckIn();

    /// <summary>What a check-in tells; null for nothing.</summary>
    public DeviceMeasurements? Told() => options.ReportMeasurements ? meter.Told(Ask()) : null;

    /// <summary>Takes up the plan's bound on a day's bytes for a piece of work.</summary>
    public void Begin(LeaseChoice? choice) => budget.Follow(choice?.MaxBytesPerDay);

    /// <summary>A round's update is committed: the rest that its plan asks for begins.</summary>
    public void Committed(LeaseChoice? choice)
    {
        if (choice is { RestSeconds: > 0 })
        {
            budget.RestFor(TimeSpan.FromSeconds(Math.Min(choice.RestSeconds, DayBudget.LongestRest.TotalSeconds)));
        }
    }

    /// <summary>A piece of work has ended, or been left.</summary>
    public void Settle()
    {
        budget.Follow(null);
        budget.Settle();
        meter.Settle();
    }

    private DeviceConditions? Ask()
    {
        try
        {
            return options.Conditions?.Invoke();
        }
        catch (Exception)
        {
            // Whether to work was decided by the call before; memory can go untold.
            return null;
        }
    }
}
