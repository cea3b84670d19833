using System.Globalization;
using System.Text;
using System.Text.Json;
using FedServerless.Client.State;

namespace FedServerless.Client.Rounds;

/// <summary>
/// What must outlive the process for one piece of work: the bytes to send until they are settled, then only how it ended. A
/// restarted client sends the same bytes rather than training again.
/// </summary>
internal sealed class RoundFolder
{
    /// <summary>Pieces of work that are remembered.</summary>
    public const int MaxRemembered = 32;

    /// <summary>Unfinished bytes go so long after the deadline, if the server never asks again.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromHours(1);

    public const string Train = "train";
    public const string Evaluate = "evaluate";

    private const string NewSuffix = ".new";
    private const string Settled = "settled.json";
    private const string Expires = "expires";

    private readonly string _path;

    private RoundFolder(string path) => _path = path;

    public static RoundFolder Of(StateFolder folder, string kind, Work work) =>
        new(Path.Combine(folder.Rounds, $"{work.Run}-{work.Round.ToString(CultureInfo.InvariantCulture)}.{kind}"));

    /// <summary>How the work ended; null when it has not.</summary>
    public Settlement? Settlement
    {
        get
        {
            var path = File(Settled);
            try
            {
                return System.IO.File.Exists(path)
                    ? JsonSerializer.Deserialize(System.IO.File.ReadAllBytes(path), StateJson.Default.Settlement)
                    : null;
            }
            catch (JsonException)
            {
                return null;
            }
        }
    }

    public string File(string name) => Path.Combine(_path, name);

    /// <summary>An empty folder to prepare the work's bytes in; <see cref="Keep"/> makes it the work's.</summary>
    public string Prepare(DateTimeOffset deadline)
    {
        var fresh = _path + NewSuffix;
        Delete(fresh);
        StateFolder.CreateFolder(fresh);
        StateFolder.WriteWhole(
            Path.Combine(fresh, Expires), Encoding.ASCII.GetBytes((deadline + Grace).ToString("O", CultureInfo.InvariantCulture)));
        return fresh;
    }

    /// <summary>Makes what was prepared the work's, whole or not at all.</summary>
    public void Keep()
    {
        Delete(_path);
        Directory.Move(_path + NewSuffix, _path);
    }

    /// <summary>The work is over: remembers how, and lets go of its bytes.</summary>
    public void Settle(Settlement settlement)
    {
        StateFolder.CreateFolder(_path);
        StateFolder.WriteWhole(File(Settled), JsonSerializer.SerializeToUtf8Bytes(settlement, StateJson.Default.Settlement));
        foreach (var file in Directory.GetFiles(_path))
        {
            if (Path.GetFileName(file) != Settled)
            {
                System.IO.File.Delete(file);
            }
        }
    }

    /// <summary>Forgets the work.</summary>
    public void Discard() => Delete(_path);

    /// <summary>
    /// Lets go of what will not be asked for again: half-prepared folders, unfinished work past its time, and all but the last
    /// <see cref="MaxRemembered"/>.
    /// </summary>
    public static void Prune(StateFolder folder, DateTimeOffset now)
    {
        var kept = new List<DirectoryInfo>();
        foreach (var work in new DirectoryInfo(folder.Rounds).GetDirectories())
        {
            if (work.Name.EndsWith(NewSuffix, StringComparison.Ordinal) || IsExpired(work.FullName, now))
            {
                work.Delete(recursive: true);
            }
            else
            {
                kept.Add(work);
            }
        }

        foreach (var old in kept.OrderByDescending(work => work.LastWriteTimeUtc).ThenBy(work => work.Name, StringComparer.Ordinal).Skip(MaxRemembered))
        {
            old.Delete(recursive: true);
        }
    }

    private static bool IsExpired(string path, DateTimeOffset now)
    {
        if (System.IO.File.Exists(Path.Combine(path, Settled)))
        {
            return false;
        }

        var expires = Path.Combine(path, Expires);
        return !System.IO.File.Exists(expires)
            || !DateTimeOffset.TryParse(
                System.IO.File.ReadAllText(expires), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var at)
            || at < now;
    }

    private static void Delete(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }
}
