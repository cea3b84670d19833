using System.Globalization;
using System.Net;
using FedServerless.Wire;

namespace FedServerless.Client;

/// <summary>How a client is set up. Every default suits a device with a few hundred megabytes to spare.</summary>
public sealed record FedClientOptions
{
    /// <summary>Most that <see cref="MaxModelBytes"/> may be: what a model layout can hold, 4 GiB of values and 128 MiB around them.</summary>
    public const long MaxModelBytesLimit = (4L << 30) + (128L << 20);

    /// <summary>Default of <see cref="MaxVectorBytes"/>: 512 MiB, the vectors of one model of 44 million parameters, or of sixteen of 2.8 million.</summary>
    public const long DefaultMaxVectorBytes = 512L << 20;

    /// <summary>
    /// The folder of this client's key, model cache and unfinished updates. Created owner-only where it does not exist. One
    /// process at a time may use it.
    /// </summary>
    public required string StateFolder { get; init; }

    /// <summary>
    /// Sends every request; null for a pooled handler of the client's own that follows no redirects. A handler given here is not
    /// disposed.
    /// </summary>
    public HttpMessageHandler? HttpHandler { get; init; }

    /// <summary>The clock and the timers. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>How long the server may hold a check-in until there is work, 0 to 300 s in whole seconds. Default 60 s.</summary>
    public TimeSpan CheckInWait { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest silence on a request before it counts as failed, 1 s to 1 h. Default 100 s. A held check-in gets its wait on top.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>Times one request is sent before it fails, 1 to 100. Default 8.</summary>
    public int MaxAttempts { get; init; } = 8;

    /// <summary>First upper bound of the random pause before a retry, 1 ms to 1 h; doubles each time. Default 500 ms.</summary>
    public TimeSpan FirstBackoff { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Largest upper bound of the random pause before a retry, <see cref="FirstBackoff"/> to 24 h. Default 60 s.</summary>
    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Largest model that is downloaded, in bytes, 1 to <see cref="MaxModelBytesLimit"/>. Default 4 GiB.</summary>
    public long MaxModelBytes { get; init; } = 4L << 30;

    /// <summary>Models kept on disk for the next round, 1 to 1000; at most as many unfinished downloads are kept, too. Default 2.</summary>
    public int CachedModels { get; init; } = 2;

    /// <summary>
    /// Most bytes of what is kept between rounds for error feedback and for solvers with a memory, over all models, 1 or more: up to 12 bytes a
    /// parameter for each model and use. Past it, and past 16 of them, those unused longest go first, told of by <see cref="StateReset"/>;
    /// the one in use stays, however large. Default <see cref="DefaultMaxVectorBytes"/>.
    /// </summary>
    public long MaxVectorBytes { get; init; } = DefaultMaxVectorBytes;

    /// <summary>
    /// The HTTP proxy that requests go through, unless <see cref="HttpHandler"/> is given; null for the system's, as its settings or the
    /// variables <c>HTTPS_PROXY</c>, <c>HTTP_PROXY</c> and <c>NO_PROXY</c> name it.
    /// </summary>
    public IWebProxy? Proxy { get; init; }

    /// <summary>
    /// Most bytes of models and updates that this device moves in a day of UTC, 1 or more; null for no bound. A plan may set a smaller one.
    /// Past it no work is taken until midnight. Default null.
    /// </summary>
    public long? MaxBytesPerDay { get; init; }

    /// <summary>
    /// Says how the device is doing: asked before a check-in, before training and before an upload, so be quick. What it throws puts work
    /// off. Default none: any time is good.
    /// </summary>
    public Func<DeviceConditions>? Conditions { get; init; }

    /// <summary>Work on networks that cost by the byte. Default false.</summary>
    public bool UseMeteredNetworks { get; init; }

    /// <summary>Least charge of a battery that is not charging, 0 to 1. Default 0.3.</summary>
    public double MinBattery { get; init; } = 0.3;

    /// <summary>Work while the host says that the device is not idle. Default false.</summary>
    public bool TrainWhenBusy { get; init; }

    /// <summary>How long conditions that keep the device from working stand before they are asked again, 1 s to 24 h. Default 5 min.</summary>
    public TimeSpan ConditionsInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Tell the server what was measured of the link and the device, rounded to two digits, so that runs which adapt can suit it. Default true.
    /// </summary>
    public bool ReportMeasurements { get; init; } = true;

    /// <summary>
    /// Ask what became of the last update when the next work arrives, and report it as <see cref="OutcomeKnown"/>: one more
    /// request a round. Default false.
    /// </summary>
    public bool ReportOutcomes { get; init; }

    /// <summary>Called for every event, in order, on the client's own thread: be quick. What it throws stops the client. Default none.</summary>
    public Action<FedClientEvent>? OnEvent { get; init; }

    /// <summary>Waits; a test's way to let hours pass. Default: a timer of <see cref="TimeProvider"/>.</summary>
    internal Func<TimeSpan, CancellationToken, Task>? Delay { get; init; }

    /// <summary>Called before each change of what is kept for a model; a test's way to die there. Default none.</summary>
    internal Action<string>? OnStateWrite { get; init; }

    /// <summary>Uniform numbers in [0, 1) for jitter. Default: the shared generator.</summary>
    internal Func<double>? Jitter { get; init; }

    /// <summary>Everything that is wrong with these options; empty when nothing is.</summary>
    public IReadOnlyList<Problem> Validate()
    {
        var problems = new List<Problem>();
        Check(!string.IsNullOrWhiteSpace(StateFolder), nameof(StateFolder), StateFolder, "a folder's path");
        Check(TimeProvider is not null, nameof(TimeProvider), null, "a clock");
        Check(
            CheckInWait >= TimeSpan.Zero && CheckInWait <= TimeSpan.FromSeconds(300) && CheckInWait.Ticks % TimeSpan.TicksPerSecond == 0,
            nameof(CheckInWait), CheckInWait, "0 to 300 whole seconds");
        Check(InRange(RequestTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)), nameof(RequestTimeout), RequestTimeout, "1 s to 1 h");
        Check(MaxAttempts is >= 1 and <= 100, nameof(MaxAttempts), MaxAttempts, "1 to 100");
        Check(InRange(FirstBackoff, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1)), nameof(FirstBackoff), FirstBackoff, "1 ms to 1 h");
        Check(InRange(MaxBackoff, FirstBackoff, TimeSpan.FromHours(24)), nameof(MaxBackoff), MaxBackoff, "FirstBackoff to 24 h");
        Check(MaxModelBytes is >= 1 and <= MaxModelBytesLimit, nameof(MaxModelBytes), MaxModelBytes, $"1 to {MaxModelBytesLimit}");
        Check(CachedModels is >= 1 and <= 1000, nameof(CachedModels), CachedModels, "1 to 1000");
        Check(MaxVectorBytes >= 1, nameof(MaxVectorBytes), MaxVectorBytes, "1 or more");
        Check(MaxBytesPerDay is null or >= 1, nameof(MaxBytesPerDay), MaxBytesPerDay, "1 or more, or nothing");
        Check(MinBattery is >= 0 and <= 1, nameof(MinBattery), MinBattery, "0 to 1");
        Check(InRange(ConditionsInterval, TimeSpan.FromSeconds(1), TimeSpan.FromHours(24)), nameof(ConditionsInterval), ConditionsInterval, "1 s to 24 h");
        return problems;

        void Check(bool right, string field, object? value, string expected)
        {
            if (!right)
            {
                problems.Add(new Problem(field, Convert.ToString(value, CultureInfo.InvariantCulture), expected));
            }
        }
    }

    private static bool InRange(TimeSpan value, TimeSpan low, TimeSpan high) => value >= low && value <= high;
}
