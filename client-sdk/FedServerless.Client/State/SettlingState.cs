using System.Text;
using FedServerless.Client.Telemetry;

namespace FedServerless.Client.State;

/// <summary>
/// A vector that a device keeps for a model, and that changes only as the server's word on an update says. Before the update is sent,
/// all that the vector may become is on disk beside the update's receipt id; settling picks one. Every step is one atomic
/// rename, so a process may die between any two of them.
/// </summary>
/// <param name="folder">Where.</param>
/// <param name="key">Whose vector.</param>
/// <param name="events">Told of what is dropped.</param>
/// <param name="maxBytes">Most bytes of all such vectors, this one always kept.</param>
/// <param name="onWrite">Called before each change on disk; a test's way to die there.</param>
internal sealed class SettlingState(StateFolder folder, SettlingKey key, ClientEvents events, long maxBytes, Action<string>? onWrite)
{
    /// <summary>Vectors kept in one state folder; past it those unused longest go.</summary>
    public const int MaxVectors = 16;

    private const string Suffix = ".vectors";
    private const string CommittingSuffix = ".committing";

    private readonly string _path = Path.Combine(folder.Settling, $"{key.Model}.{key.Kind}{Suffix}");

    private SettlingContent? _content;
    private bool _isLoaded;

    /// <summary>The vectors: <see cref="Before"/> as long as the update's fate is open.</summary>
    public enum Choice
    {
        /// <summary>As if the update had never been made.</summary>
        Before = 0,

        /// <summary>The update is in the model.</summary>
        After = 1,

        /// <summary>The update was made, and is not in the model.</summary>
        Otherwise = 2,
    }

    private string CommittingPath => _path + CommittingSuffix;

    /// <summary>Whose it is.</summary>
    public SettlingKey Key => key;

    /// <summary>The update that decides; null when settled, or when there is nothing yet. A file that cannot be believed is dropped.</summary>
    public PendingReceipt? Pending => Load()?.Pending;

    /// <summary>True when an update made for nothing is carried into the next one.</summary>
    public bool CarriesOver => Load() is { Vectors: 3 };

    /// <summary>Updates in a row that the server refused, the last one included.</summary>
    public byte Refused => Load()?.Refused ?? 0;

    /// <summary>True when a receipt of the pending update may have reached the server.</summary>
    public bool IsCommitting => Pending is { } pending && File.Exists(CommittingPath)
        && File.ReadAllText(CommittingPath, Encoding.ASCII) == pending.HeaderDigest.ToString();

    /// <summary>The vector as it stands; zeros when there is none yet.</summary>
    /// <param name="count">Its length: the model's parameters.</param>
    public float[] Read(int count) => Load() is { } content ? SettlingFile.Read(_path, content, 0) : new float[count];

    /// <summary>
    /// Puts on disk what may become of the vector, before anything of the update is sent.
    /// </summary>
    /// <param name="receipt">The update.</param>
    /// <param name="before">The vector as it stands.</param>
    /// <param name="after">What it is once the update is in the model.</param>
    /// <param name="otherwise">What it is when the update was made for nothing; null for <paramref name="before"/>.</param>
    public void Begin(PendingReceipt receipt, ReadOnlyMemory<float> before, ReadOnlyMemory<float> after, ReadOnlyMemory<float>? otherwise = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(after.Length, before.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual((otherwise ?? before).Length, before.Length);
        if (otherwise is { } third)
        {
            Replace(receipt, Refused, before, after, third);
        }
        else
        {
            Replace(receipt, Refused, before, after);
        }

        Prune();
    }

    /// <summary>Notes that the receipt is about to be sent: from here on a server that does not know it may have forgotten it.</summary>
    public void BeginCommit()
    {
        if (Pending is { } pending && !IsCommitting)
        {
            onWrite?.Invoke("committing");
            StateFolder.WriteWhole(CommittingPath, Encoding.ASCII.GetBytes(pending.HeaderDigest.ToString()));
        }
    }

    /// <summary>Notes that the server refused the receipt: it has not got it.</summary>
    public void CommitRefused()
    {
        onWrite?.Invoke("refused");
        File.Delete(CommittingPath);
    }

    /// <summary>The update's fate is known: one vector is left.</summary>
    /// <param name="choice">Which.</param>
    /// <param name="refused">Updates in a row that were refused, this one included.</param>
    /// <returns>That vector.</returns>
    public float[] Settle(Choice choice, int refused)
    {
        var content = Load() ?? throw new InvalidOperationException($"No {key.Kind} of model '{key.Model}' is there to settle.");
        var values = SettlingFile.Read(_path, content, (int)choice < content.Vectors ? (int)choice : 0);
        Replace(null, (byte)Math.Min(refused, byte.MaxValue), values);
        File.Delete(CommittingPath);
        return values;
    }

    /// <summary>Begins at zero again.</summary>
    public void Reset(string reason)
    {
        onWrite?.Invoke("reset");
        File.Delete(_path);
        File.Delete(CommittingPath);
        (_content, _isLoaded) = (null, true);
        events.Report(new StateReset(key.Model, key.Kind, reason));
    }

    private SettlingContent? Load()
    {
        if (!_isLoaded)
        {
            try
            {
                _content = SettlingFile.Open(_path, key);
                _isLoaded = true;
            }
            catch (InvalidDataException problem)
            {
                Reset(problem.Message);
            }
        }

        return _content;
    }

    private void Replace(PendingReceipt? pending, byte refused, params ReadOnlySpan<ReadOnlyMemory<float>> vectors)
    {
        onWrite?.Invoke("write");
        _isLoaded = false;
        var prepared = SettlingFile.Prepare(_path, key, pending, refused, vectors);
        onWrite?.Invoke("rename");
        File.Move(prepared, _path, overwrite: true);
        StateFolder.FlushFolder(folder.Settling);
        onWrite?.Invoke("written");
    }

    private void Prune()
    {
        // What a process that died left half written.
        foreach (var half in Directory.GetFiles(folder.Settling, $"*{StateFolder.TemporarySuffix}"))
        {
            File.Delete(half);
        }

        var files = new DirectoryInfo(folder.Settling).GetFiles($"*{Suffix}")
            .OrderByDescending(file => file.FullName == _path)
            .ThenByDescending(file => file.LastWriteTimeUtc)
            .ThenBy(file => file.Name, StringComparer.Ordinal);
        var (kept, bytes) = (0, 0L);
        foreach (var file in files)
        {
            // Once one does not fit, no older one stays in its place.
            bytes += file.Length;
            if (file.FullName == _path || (kept < MaxVectors && bytes <= maxBytes))
            {
                kept++;
                continue;
            }

            file.Delete();
            File.Delete(file.FullName + CommittingSuffix);
            var name = file.Name[..^Suffix.Length].Split('.', 2);
            events.Report(new StateReset(name[0], name[^1], $"more than {MaxVectors}, or than {maxBytes} bytes, are kept, and this one was not used for longest"));
        }
    }
}
