using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using FedServerless.Activities.Telemetry;
using FedServerless.Capacity;

namespace FedServerless.Activities.Metering;

/// <summary>
/// Measures what this process does and for which round. Work runs in a scope; whatever it asks of a <see cref="MeteredStore"/>, on any
/// thread it starts, is the scope's. Instances are paid for while they are busy, so scopes that run at once share their time.
/// </summary>
public sealed class UsageMeter(UsageOptions options, TimeProvider time)
{
    private static readonly Counter<long> Operations = FedTelemetry.Meter.CreateCounter<long>(
        "fed.store.operations", "{operation}", "Requests to the object store, by kind.");

    private static readonly Counter<long> Bytes = FedTelemetry.Meter.CreateCounter<long>(
        "fed.store.bytes", "By", "Bytes read from and written to the object store, by direction.");

    private static readonly Counter<long> Executions = FedTelemetry.Meter.CreateCounter<long>(
        "fed.executions", "{execution}", "Activities and requests that ran.");

    private static readonly Counter<double> GbSeconds = FedTelemetry.Meter.CreateCounter<double>(
        "fed.gb_seconds", "GB.s", "Seconds this instance was busy, times its memory.");

    private readonly ConcurrentDictionary<(string Run, int Round), UsageAccount> _accounts = new();
    private readonly Lock _clock = new();
    private long _at = time.GetTimestamp();
    private double _shared;
    private int _active;

    /// <summary>How usage is measured and priced.</summary>
    public UsageOptions Options => options;

    /// <summary>Every round this process worked for.</summary>
    internal IEnumerable<UsageAccount> Accounts => _accounts.Values;

    /// <summary>Begins work. Dispose it when the work is done.</summary>
    /// <param name="run">The run it is for, or null where that is not known (yet).</param>
    /// <param name="round">The round it is for.</param>
    /// <param name="engineActions">Messages of the engine that the work stands for.</param>
    public UsageScope Enter(string? run, int round, int engineActions = 0)
    {
        var scope = new UsageScope(this, UsageScope.Current) { Start = Move(+1) };
        if (run is not null)
        {
            scope.Attribute(run, round);
        }

        scope.Tally.Add(new ResourceUsage(Executions: 1, EngineActions: engineActions));
        Executions.Add(1);
        UsageScope.Current = scope;
        return scope;
    }

    /// <summary>What this process has counted for a round, the scope at hand included.</summary>
    internal UsageAccount Account(string run, int round)
    {
        if (UsageScope.Current is { } scope && scope.Meter == this && scope.Round == (run, round))
        {
            Settle(scope);
        }

        return AccountOf(run, round);
    }

    /// <summary>Forgets an account that is wholly written. Should its round come up again, it gets another one with a name of its own.</summary>
    internal void Forget(UsageAccount account) => _accounts.TryRemove(new((account.Run, account.Round), account));

    internal static void Record(ResourceUsage usage)
    {
        UsageScope.Current?.Tally.Add(usage);
        Count(usage.Writes, "write");
        Count(usage.Reads, "read");
        Count(usage.Lists, "list");
        Count(usage.Deletes, "delete");
        if (usage.BytesRead > 0)
        {
            Bytes.Add(usage.BytesRead, new KeyValuePair<string, object?>("direction", "read"));
        }

        if (usage.BytesWritten > 0)
        {
            Bytes.Add(usage.BytesWritten, new KeyValuePair<string, object?>("direction", "write"));
        }

        static void Count(long count, string kind)
        {
            if (count > 0)
            {
                Operations.Add(count, new KeyValuePair<string, object?>("kind", kind));
            }
        }
    }

    /// <summary>The work ends or waits for something that is not paid for: from here on its instance may be idle.</summary>
    internal void Leave(UsageScope scope) => Settle(scope, Move(-1));

    /// <summary>The work goes on.</summary>
    internal void Return(UsageScope scope) => scope.Start = Move(+1);

    private void Settle(UsageScope scope) => Settle(scope, Move(0));

    private void Settle(UsageScope scope, double now)
    {
        var gbSeconds = (now - scope.Start) * options.InstanceMemoryMb / 1024;
        scope.Start = now;
        scope.Tally.Add(new ResourceUsage(GbSeconds: gbSeconds));
        GbSeconds.Add(gbSeconds);
        if (scope.Round is var (run, round))
        {
            AccountOf(run, round).Tally.Add(scope.Tally.Take());
        }
    }

    private UsageAccount AccountOf(string run, int round) => _accounts.GetOrAdd(
        (run, round), static key => new UsageAccount(key.Run, key.Round, RandomNumberGenerator.GetHexString(12, lowercase: true)));

    /// <summary>
    /// Seconds that the clock shows which each of the scopes has to itself: it runs at 1/n while n are active, so that the differences of
    /// all scopes add up to the time that any was active.
    /// </summary>
    private double Move(int change)
    {
        lock (_clock)
        {
            var now = time.GetTimestamp();
            if (_active > 0)
            {
                _shared += time.GetElapsedTime(_at, now).TotalSeconds / _active;
            }

            _at = now;
            _active += change;
            return _shared;
        }
    }
}

/// <summary>Work under way.</summary>
public sealed class UsageScope : IDisposable
{
    private static readonly AsyncLocal<UsageScope?> Flowing = new();

    private readonly UsageScope? _outer;
    private bool _isOver;

    internal UsageScope(UsageMeter meter, UsageScope? outer) => (Meter, _outer) = (meter, outer);

    /// <summary>The scope of the work at hand, or null.</summary>
    public static UsageScope? Current
    {
        get => Flowing.Value;
        internal set => Flowing.Value = value;
    }

    internal UsageMeter Meter { get; }

    internal UsageTally Tally { get; } = new();

    internal double Start { get; set; }

    internal (string Run, int Round)? Round { get; private set; }

    /// <summary>Says for which round it turned out to be.</summary>
    public void Attribute(string run, int round) => Round = (run, round);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_isOver)
        {
            _isOver = true;
            Meter.Leave(this);
            Current = _outer;
        }
    }

    /// <summary>Waits for something without counting the time: a host that holds a request may do something else meanwhile.</summary>
    public static async Task RestAsync(Task task)
    {
        ArgumentNullException.ThrowIfNull(task);
        if (Current is not { } scope)
        {
            await task;
            return;
        }

        scope.Meter.Leave(scope);
        try
        {
            await task;
        }
        finally
        {
            scope.Meter.Return(scope);
        }
    }
}

/// <summary>What this process has counted for a round.</summary>
internal sealed class UsageAccount(string run, int round, string id)
{
    public string Run => run;

    public int Round => round;

    /// <summary>Names the object that only this account writes.</summary>
    public string Id => id;

    public UsageTally Tally { get; } = new();

    /// <summary>What was written last.</summary>
    public ResourceUsage Written { get; set; } = ResourceUsage.None;

    /// <summary>When it was written, by the meter's clock; null for never.</summary>
    public DateTimeOffset? WrittenAt { get; set; }

    /// <summary>One at a time writes it.</summary>
    public SemaphoreSlim OneWriter { get; } = new(1, 1);
}
