using FedServerless.Capacity;

namespace FedServerless.Activities.Metering;

/// <summary>Counters that many threads add to.</summary>
internal sealed class UsageTally
{
    private readonly Lock _gate = new();
    private ResourceUsage _sum = ResourceUsage.None;

    /// <summary>What was added so far.</summary>
    public ResourceUsage Sum
    {
        get
        {
            lock (_gate)
            {
                return _sum;
            }
        }
    }

    public void Add(ResourceUsage usage)
    {
        lock (_gate)
        {
            _sum += usage;
        }
    }

    /// <summary>Takes everything out.</summary>
    public ResourceUsage Take()
    {
        lock (_gate)
        {
            var sum = _sum;
            _sum = ResourceUsage.None;
            return sum;
        }
    }
}
