using System.Text.RegularExpressions;
using FedServerless.Local.Engine.Journal;
using FedServerless.Testing.Storage;

namespace FedServerless.EndToEnd.Tests.Crashes;

/// <summary>What happens to one write, named by what it writes and not by its number, so that every run has the same.</summary>
/// <param name="Write">The write, as <see cref="WriteWatch"/> names it.</param>
/// <param name="Fault">What happens to it. In the journal, the faults of one call alone but a full disk are none.</param>
internal sealed record Mishap(string Write, StoreFault Fault)
{
    public override string ToString() => $"{Fault} at {Write}";
}

/// <summary>Sees every write of all hosts of a federation, to the store and to the journal, and says what happens to it.</summary>
internal sealed partial class WriteWatch(IEnumerable<Mishap> mishaps)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _times = new(StringComparer.Ordinal);
    private readonly List<string> _writes = [];
    private readonly List<Mishap> _left = [.. mishaps];
    private readonly Random _gaps = new(1);
    private int _untilDeath;
    private int _deaths;

    /// <summary>
    /// On average every so many-eth write is fatal, by turns before and after it; 0 for none. The gaps differ by up to two either way:
    /// whoever starts over after each death writes the same few things again, and an even gap of as many would hit the same one for ever.
    /// </summary>
    public int FatalEvery
    {
        get;
        init => _untilDeath = field = value;
    }

    /// <summary>What happens to every other write. Default: nothing.</summary>
    public StoreFault Otherwise { get; init; }

    /// <summary>All writes so far: what, and the how many-eth of its name.</summary>
    public IReadOnlyList<string> Writes
    {
        get
        {
            lock (_gate)
            {
                return [.. _writes];
            }
        }
    }

    /// <summary>Mishaps that did not come about.</summary>
    public IReadOnlyList<Mishap> Left
    {
        get
        {
            lock (_gate)
            {
                return [.. _left];
            }
        }
    }

    public StoreFault OnStore(StoreWrite write) => Next($"{write.Kind} {Chances().Replace(write.Name, "*")}");

    public StoreFault OnJournal(JournalWrite write) => Next(write switch
    {
        JournalWrite.Append append => $"Journal Append {append.InstanceId} {append.Event.Kind} {append.Event.Name}",
        JournalWrite.SetStatus status => $"Journal SetStatus {status.InstanceId} {status.Status}",
        _ => $"Journal {write.GetType().Name} {write.InstanceId}",
    });

    private StoreFault Next(string name)
    {
        lock (_gate)
        {
            var times = _times[name] = _times.GetValueOrDefault(name) + 1;
            var write = $"{name} #{times}";
            _writes.Add(write);
            if (FatalEvery > 0 && --_untilDeath == 0)
            {
                _untilDeath = _gaps.Next(FatalEvery - 2, FatalEvery + 3);
                return _deaths++ % 2 == 0 ? StoreFault.CrashAfter : StoreFault.CrashBefore;
            }

            var mishap = _left.FirstOrDefault(mishap => mishap.Write == write);
            if (mishap is not null)
            {
                _left.Remove(mishap);
            }

            return mishap?.Fault ?? Otherwise;
        }
    }

    // What chance makes: the hash of a one-time code, the ids under which a host keeps its presence page and its usage, the names of audit records.
    [GeneratedRegex("(?<=^audit/)[0-9/]+-[0-9a-f]{16}-[0-9]{9}|(?<=^enrolments/)[0-9a-f]{64}|(?<=/presence/)[0-9a-f]{16}|(?<=/usage/[0-9]{6}/)[0-9a-f]{12}")]
    private static partial Regex Chances();
}
