using FedServerless.Workflows.Engine;
using Microsoft.Data.Sqlite;

namespace FedServerless.Local.Engine.Journal;

/// <summary>
/// The journal in one SQLite file. Write-ahead log with <c>synchronous=FULL</c>: a commit that returned was fsynced.
/// <c>locking_mode=EXCLUSIVE</c>: a second host on the same file is refused, and the system lets go when a process dies.
/// </summary>
public sealed class SqliteJournal : IJournal
{
    /// <summary>The format this build writes; a file of a higher one is refused.</summary>
    internal const int FormatVersion = 1;

    private const string Schema = """
        CREATE TABLE instance(
            id TEXT NOT NULL PRIMARY KEY, workflow TEXT NOT NULL, generation INTEGER NOT NULL, input TEXT NOT NULL,
            started_at INTEGER NOT NULL, phase INTEGER NOT NULL, status TEXT, output TEXT, error_type TEXT, error TEXT
        ) WITHOUT ROWID;
        CREATE INDEX running ON instance(id) WHERE phase = 0;
        CREATE TABLE event(
            instance TEXT NOT NULL, generation INTEGER NOT NULL, ordinal INTEGER NOT NULL, sequence INTEGER NOT NULL,
            kind INTEGER NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, at INTEGER NOT NULL,
            output TEXT, error_type TEXT, error TEXT,
            PRIMARY KEY(instance, generation, ordinal)
        ) WITHOUT ROWID;
        """;

    private const string InstanceColumns =
        "id, workflow, generation, input, started_at, phase, status, output, error_type, error";

    private readonly string _path;
    private readonly Lock _gate = new();
    private SqliteSession? _session;
    private bool _isDisposed;

    /// <summary>A journal at a path; its folder must exist. Nothing is touched before <see cref="Open"/>.</summary>
    public SqliteJournal(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _path = Path.GetFullPath(path);
    }

    /// <inheritdoc/>
    public void Open() => Guard(session =>
    {
        session.Query("PRAGMA quick_check(1)", [], row => row.GetString(0)).ForEach(answer =>
        {
            if (answer != "ok")
            {
                throw Unreadable(answer, null);
            }
        });
        return 0;
    });

    /// <inheritdoc/>
    public IReadOnlyList<JournalInstance> ReadRunning() =>
        Guard(session => session.Query($"SELECT {InstanceColumns} FROM instance WHERE phase = 0 ORDER BY id", [], ReadInstance));

    /// <inheritdoc/>
    public JournalInstance? Find(string instanceId) =>
        Guard(session => session.Query($"SELECT {InstanceColumns} FROM instance WHERE id = $0", [instanceId], ReadInstance).SingleOrDefault());

    /// <inheritdoc/>
    public IReadOnlyList<JournalEvent> ReadEvents(string instanceId, int generation) =>
        Guard(session => session.Query(
            "SELECT ordinal, sequence, kind, name, digest, at, output, error_type, error FROM event "
            + "WHERE instance = $0 AND generation = $1 ORDER BY ordinal",
            [instanceId, generation],
            ReadEvent));

    /// <inheritdoc/>
    public void Commit(IReadOnlyList<JournalWrite> batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Guard(session =>
        {
            session.Execute("BEGIN IMMEDIATE");
            foreach (var write in batch)
            {
                Apply(session, write);
            }

            session.Execute("COMMIT");
            return 0;
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            Close();
        }
    }

    /// <summary>Caps the file, so that a test can meet a full disk.</summary>
    internal void LimitPages(int pages) => Guard(session => session.Execute($"PRAGMA max_page_count = {pages}"));

    private static void Apply(SqliteSession session, JournalWrite write)
    {
        // Every statement is idempotent: a batch is given again when its commit failed, even if it had been applied.
        switch (write)
        {
            case JournalWrite.Create c:
                session.Execute(
                    "INSERT INTO instance(id, workflow, generation, input, started_at, phase) VALUES($0, $1, 0, $2, $3, 0) ON CONFLICT DO NOTHING",
                    c.InstanceId, c.Workflow, c.Input, c.At.UtcTicks);
                break;
            case JournalWrite.Append { Event: var e } a:
                session.Execute(
                    "INSERT INTO event VALUES($0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
                    a.InstanceId, a.Generation, e.Ordinal, e.Sequence, (int)e.Kind, e.Name, e.Digest, e.At.UtcTicks,
                    e.Output, e.Failure?.ErrorType, e.Failure?.Message);
                break;
            case JournalWrite.SetStatus s:
                session.Execute("UPDATE instance SET status = $1 WHERE id = $0", s.InstanceId, s.Status);
                break;
            case JournalWrite.NextGeneration c:
                session.Execute("DELETE FROM event WHERE instance = $0 AND generation < $1", c.InstanceId, c.Generation);
                session.Execute(
                    "UPDATE instance SET generation = $1, input = $2, started_at = $3 WHERE id = $0",
                    c.InstanceId, c.Generation, c.Input, c.At.UtcTicks);
                break;
            case JournalWrite.Complete c:
                session.Execute("DELETE FROM event WHERE instance = $0", c.InstanceId);
                session.Execute("UPDATE instance SET phase = 1, output = $1 WHERE id = $0", c.InstanceId, c.Output);
                break;
            case JournalWrite.Fail f:
                session.Execute(
                    "UPDATE instance SET phase = 2, error_type = $1, error = $2 WHERE id = $0",
                    f.InstanceId, f.Failure.ErrorType, f.Failure.Message);
                break;
            case JournalWrite.Purge p:
                session.Execute("DELETE FROM event WHERE instance = $0", p.InstanceId);
                session.Execute("DELETE FROM instance WHERE id = $0", p.InstanceId);
                break;
            default:
                throw new ArgumentException($"Unknown journal write {write.GetType().Name}.", nameof(write));
        }
    }

    private static JournalInstance ReadInstance(SqliteDataReader row) => new(
        row.GetString(0),
        row.GetString(1),
        row.GetInt32(2),
        row.GetString(3),
        new DateTimeOffset(row.GetInt64(4), TimeSpan.Zero),
        (WorkflowPhase)row.GetInt32(5),
        Text(row, 6),
        Text(row, 7),
        row.IsDBNull(8) ? null : new StepFailure(row.GetString(8), row.GetString(9)));

    private static JournalEvent ReadEvent(SqliteDataReader row) => new(
        row.GetInt32(0),
        row.GetInt32(1),
        (CallKind)row.GetInt32(2),
        row.GetString(3),
        row.GetString(4),
        new DateTimeOffset(row.GetInt64(5), TimeSpan.Zero),
        Text(row, 6),
        row.IsDBNull(7) ? null : new StepFailure(row.GetString(7), row.GetString(8)));

    private static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private T Guard<T>(Func<SqliteSession, T> use)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            try
            {
                return use(_session ??= Connect());
            }
            catch (SqliteException e)
            {
                // After an I/O error the connection's view of the file is not to be trusted: begin from the file again.
                Close();
                throw Translate(e);
            }
            catch (JournalException)
            {
                Close();
                throw;
            }
        }
    }

    private SqliteSession Connect()
    {
        var session = new SqliteSession(_path);
        try
        {
            session.Execute("PRAGMA locking_mode = EXCLUSIVE");
            session.Execute("PRAGMA journal_mode = WAL");
            session.Execute("PRAGMA synchronous = FULL");
            session.Execute("BEGIN IMMEDIATE");
            var version = session.Query("PRAGMA user_version", [], row => row.GetInt32(0))[0];
            if (version > FormatVersion)
            {
                throw new JournalException(
                    JournalFault.Unreadable,
                    $"The journal '{_path}' has format {version}; this build knows {FormatVersion}. Run the newer build, or move the file away and use 'fed run recover RUN'.");
            }

            if (version == 0)
            {
                session.Execute(Schema);
                session.Execute($"PRAGMA user_version = {FormatVersion}");
            }

            session.Execute("COMMIT");
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    private void Close()
    {
        _session?.Dispose();
        _session = null;
    }

    private JournalException Translate(SqliteException e) => e.SqliteErrorCode switch
    {
        SQLitePCL.raw.SQLITE_FULL => new(JournalFault.Full, $"No room to write the journal '{_path}'. Free some disk space.", e),
        SQLitePCL.raw.SQLITE_BUSY or SQLitePCL.raw.SQLITE_LOCKED =>
            new(JournalFault.InUse, $"Another host has the journal '{_path}' open. One host per data folder.", e),
        SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB or SQLitePCL.raw.SQLITE_ERROR or SQLitePCL.raw.SQLITE_MISMATCH
            or SQLitePCL.raw.SQLITE_CONSTRAINT => Unreadable(e.Message, e),
        _ => new(JournalFault.Unavailable, $"The journal '{_path}' cannot be read or written: {e.Message}", e),
    };

    private JournalException Unreadable(string why, Exception? inner) => new(
        JournalFault.Unreadable,
        $"The journal '{_path}' is damaged or not a journal ({why}). Move the file and its -wal away, start again and use 'fed run recover RUN': everything that counts is in the object store.",
        inner);
}
