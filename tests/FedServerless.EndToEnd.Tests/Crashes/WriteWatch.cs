using System.Text.RegularExpressions;
using FedServerless.Local.Engine.Journal;
using FedServerless.Testing.Storage;

namespace FedServerless.EndToEnd.Tests.Crashes;

/// <summary>Where a host dies: around one write, named by what it writes and not by its number, so that every run has the same.</summary>
/// <param name="Write">The write, as <see cref="WriteWatch"/> names it.</param>
/// <param name="After">True when the write is done and nobody knows; false when it never happens.</param>
internal sealed record Death(string Write, bool After)
{
    public override string ToString() => $"{(After ? "after" : "before")} {Write}";
}

/// <summary>Sees every write of all hosts of a federation, to the store and to the journal, and says which is fatal.</summary>
internal sealed partial class WriteWatch(IEnumerable<Death> deaths)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _times = new(StringComparer.Ordinal);
    private readonly List<string> _writes = [];
    private readonly List<Death> _left = [.. deaths];

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

    /// <summary>Deaths that did not come about.</summary>
    public IReadOnlyList<Death> Left
    {
        get
        {
            lock (_gate)
            {
                return [.. _left];
            }
        }
    }

    public StoreFault OnStore(StoreWrite write) => Next($"{write.Kind} {Chances().Replace(write.Name, "*")}") switch
    {
        null => StoreFault.None,
        { After: true } => StoreFault.CrashAfter,
        _ => StoreFault.CrashBefore,
    };

    public Death? OnJournal(JournalWrite write) => Next(write switch
    {
        JournalWrite.Append append => $"Journal Append {append.InstanceId} {append.Event.Kind} {append.Event.Name}",
        JournalWrite.SetStatus status => $"Journal SetStatus {status.InstanceId} {status.Status}",
        _ => $"Journal {write.GetType().Name} {write.InstanceId}",
    });

    private Death? Next(string name)
    {
        lock (_gate)
        {
            var times = _times[name] = _times.GetValueOrDefault(name) + 1;
            var write = $"{name} #{times}";
            _writes.Add(write);
            var death = _left.FirstOrDefault(death => death.Write == write);
            if (death is not null)
            {
                _left.Remove(death);
            }

            return death;
        }
    }

    // What chance makes: the hash of a one-time code, the id under which a host keeps its presence page.
    [GeneratedRegex("(?<=^enrolments/)[0-9a-f]{64}|(?<=/presence/)[0-9a-f]{16}")]
    private static partial Regex Chances();
}
