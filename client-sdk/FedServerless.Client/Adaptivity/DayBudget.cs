using System.Globalization;
using System.Text.Json;
using FedServerless.Client.State;

namespace FedServerless.Client.Adaptivity;

/// <summary>
/// The bytes of models and updates that this device has moved today (UTC), and until when it rests. On disk the count runs ahead of the
/// truth by up to <see cref="Ahead"/> where there is a bound: a process that dies forgets none of what it has moved.
/// </summary>
internal sealed class DayBudget
{
    /// <summary>Bytes by which the count on disk may be ahead.</summary>
    public const long Ahead = 1 << 20;

    /// <summary>Longest that one rest is believed; beyond it the clock was set.</summary>
    public static readonly TimeSpan LongestRest = TimeSpan.FromDays(1);

    private readonly string _path;
    private readonly FedClientOptions _options;
    private DateOnly _day;
    private long _bytes;
    private long _stored;
    private DateTimeOffset _restUntil;
    private long? _ofThePlan;

    public DayBudget(StateFolder folder, FedClientOptions options)
    {
        _path = folder.File("day.json");
        _options = options;
        Load();
    }

    /// <summary>Bytes that may still be moved today.</summary>
    public long Left
    {
        get
        {
            Turn();
            return Math.Max(0, Limit - _bytes);
        }
    }

    /// <summary>Most bytes a day: the application's bound and the plan's, whichever is less.</summary>
    public long Limit => Math.Min(_options.MaxBytesPerDay ?? long.MaxValue, _ofThePlan ?? long.MaxValue);

    /// <summary>Time until the next day begins.</summary>
    public TimeSpan UntilMidnight
    {
        get
        {
            var now = _options.TimeProvider.GetUtcNow();
            return now.UtcDateTime.Date.AddDays(1) - now.UtcDateTime;
        }
    }

    /// <summary>Time that is left of a rest; zero when there is none.</summary>
    public TimeSpan Rest
    {
        get
        {
            var left = _restUntil - _options.TimeProvider.GetUtcNow();
            return left > TimeSpan.Zero && left <= LongestRest ? left : TimeSpan.Zero;
        }
    }

    /// <summary>The work that follows has this bound of the plan's; null for none.</summary>
    public void Follow(long? ofThePlan) => _ofThePlan = ofThePlan;

    /// <summary>Bytes have been moved.</summary>
    public void Spend(long bytes)
    {
        Turn();
        _bytes += bytes;

        // Without a bound nobody asks before the work is over, and Settle writes then.
        if (_bytes > _stored && Limit != long.MaxValue)
        {
            Store(_bytes + Ahead);
        }
    }

    /// <summary>No work before this time has passed.</summary>
    public void RestFor(TimeSpan rest)
    {
        Turn();
        _restUntil = _options.TimeProvider.GetUtcNow() + (rest < LongestRest ? rest : LongestRest);
        Store(_bytes);
    }

    /// <summary>Writes the exact count, where it is not there: between two pieces of work.</summary>
    public void Settle()
    {
        if (_stored != _bytes)
        {
            Store(_bytes);
        }
    }

    /// <summary>
    /// A later day begins at zero. An earlier one means that the clock was set back, and what was moved by the wrong date counts today: a day
    /// that lies far ahead must not hold the device until it comes.
    /// </summary>
    private void Turn()
    {
        var today = DateOnly.FromDateTime(_options.TimeProvider.GetUtcNow().UtcDateTime);
        if (today != _day)
        {
            _bytes = today > _day ? 0 : _bytes;
            _day = today;
            _stored = -1;
        }
    }

    private void Load()
    {
        try
        {
            if (File.Exists(_path) && JsonSerializer.Deserialize(File.ReadAllBytes(_path), StateJson.Default.DayRecord) is { Bytes: >= 0 } stored
                && DateOnly.TryParseExact(stored.Day, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
            {
                (_day, _bytes, _stored, _restUntil) = (day, stored.Bytes, stored.Bytes, stored.RestUntil);
                return;
            }
        }
        catch (Exception problem) when (problem is JsonException or IOException or UnauthorizedAccessException)
        {
            // A damaged count is as good as none: the day begins anew, and the next write mends the file.
        }

        _day = DateOnly.FromDateTime(_options.TimeProvider.GetUtcNow().UtcDateTime);
    }

    private void Store(long bytes)
    {
        var record = new DayRecord(_day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), bytes, _restUntil);
        StateFolder.WriteWhole(_path, JsonSerializer.SerializeToUtf8Bytes(record, StateJson.Default.DayRecord));
        _stored = bytes;
    }
}

/// <summary>The file of a <see cref="DayBudget"/>.</summary>
/// <param name="Day">The day of UTC, <c>yyyy-MM-dd</c>.</param>
/// <param name="Bytes">Bytes moved on it, or more.</param>
/// <param name="RestUntil">No work before.</param>
internal sealed record DayRecord(string Day, long Bytes, DateTimeOffset RestUntil);
