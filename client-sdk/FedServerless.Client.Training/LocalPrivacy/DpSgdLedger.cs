using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Privacy;

namespace FedServerless.Client.Training;

/// <summary>
/// What was spent on a site's examples, in a file that is only ever appended to. A line is JSON, a space, and 16 bytes of SHA-256 over the line
/// before's and this JSON, so that a line changed, lost or moved is found. A charge has reached the disk before it returns; one that was cut off
/// while it was written, a last line without an end, admitted nothing and is written over. One process at a time has the file.
/// </summary>
internal sealed class DpSgdLedger
{
    /// <summary>The largest ledger, in bytes: about 250 000 rounds.</summary>
    public const int MaxBytes = 64 << 20;

    private const string Format = "fedserverless-dp-sgd-ledger";
    private const int Version = 1;
    private const int ChainBytes = 16;

    private readonly string _path;
    private readonly DpSgdOptions _options;

    public DpSgdLedger(DpSgdOptions options)
    {
        options.ThrowIfWrong();
        (_path, _options) = (Path.GetFullPath(options.LedgerFile), options);
    }

    /// <summary>Charges a round or refuses it; in doubt it stays charged.</summary>
    /// <exception cref="PrivacyBudgetSpentException">The budget does not admit it. Nothing was written.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, or not a ledger of this budget.</exception>
    /// <exception cref="IOException">It cannot be written, or another process has it.</exception>
    public void Charge(DpSgdLedgerEntry entry)
    {
        using var file = Open(FileMode.OpenOrCreate);
        var (header, entries, chain, end) = Read(file);
        var isNew = header is null;
        header ??= NewHeader();
        var filter = FilterOf(header);
        var spent = Total(entries, filter.Orders);
        if (!filter.Admits(spent, entry.Event))
        {
            var after = filter.Spend(spent.Plus(RenyiCurve.Of(entry.Event, filter.Orders)));
            throw new PrivacyBudgetSpentException(
                $"Round {entry.Round} of run '{entry.Run}' with {entry.Steps} steps would bring the privacy spent on these examples from ε = {filter.Spend(spent).Epsilon:0.####} to {after.Epsilon:0.####}; the budget is ε = {_options.Budget.Epsilon:0.####} at δ = {_options.Budget.Delta}.");
        }

        var text = new StringBuilder();
        if (isNew)
        {
            chain = AppendLine(text, chain, header, DpSgdJson.Default.DpSgdLedgerHeader);
        }

        AppendLine(text, chain, entry, DpSgdJson.Default.DpSgdLedgerEntry);
        var bytes = Encoding.UTF8.GetBytes(text.ToString());
        if (end + bytes.Length > MaxBytes)
        {
            throw new InvalidDataException($"The privacy ledger '{_path}' has reached {MaxBytes} bytes.");
        }

        // Appended in place, never renamed into it: what the disk has had stays, and a new file's name reaches the disk with its content.
        file.SetLength(end);
        file.Position = end;
        file.Write(bytes);
        file.Flush(flushToDisk: true);
    }

    /// <summary>What was spent; nothing where there is no file yet.</summary>
    public DpSgdReport Report()
    {
        DpSgdLedgerHeader? header = null;
        List<DpSgdLedgerEntry> entries = [];
        if (File.Exists(_path))
        {
            using var file = Open(FileMode.Open);
            (header, entries, _, _) = Read(file);
        }

        header ??= NewHeader();
        var filter = FilterOf(header);
        var total = Total(entries, filter.Orders);
        var accountant = new RenyiAccountant();
        entries.ForEach(entry => accountant.Compose(entry.Event));
        var best = accountant.Spend(_options.Budget.Delta);
        return new DpSgdReport
        {
            Unit = PrivacyUnit.Example,
            Adjacency = PrivacyAdjacency.AddOrRemoveOne,
            Rounds = entries.Count,
            Steps = entries.Sum(entry => (long)entry.Steps),
            Spent = filter.Spend(total),
            Budget = _options.Budget,
            Order = header.Order,
            Fixed = best,
            StepsLeft = StepsLeft(filter, total),
            Runs = [.. entries.GroupBy(entry => entry.Run, StringComparer.Ordinal).Select(run => RunOf(run, filter))],
            Warnings = [.. Warnings(best)],
        };
    }

    private static DpSgdRunSpend RunOf(IGrouping<string, DpSgdLedgerEntry> run, RenyiFilter filter) =>
        new(run.Key, run.Count(), run.Sum(entry => (long)entry.Steps), filter.Spend(Total(run, filter.Orders)));

    private IEnumerable<string> Warnings(RenyiSpend best)
    {
        if (DeltaRule.Judge(_options.Budget.Delta, _options.Samples) == DeltaVerdict.Large)
        {
            yield return $"δ = {_options.Budget.Delta} is above a tenth of 1/{_options.Samples}: too likely a failure of the promise for so many examples.";
        }

        if (best.AtGridEnd)
        {
            yield return $"The best order, {best.Order}, is at the end of the grid: the true ε may be lower.";
        }
    }

    /// <summary>The order at which the budget admits the most steps: declared once, so that charges may depend on releases at no cost.</summary>
    private DpSgdLedgerHeader NewHeader()
    {
        var (epsilon, delta) = (_options.Budget.Epsilon, _options.Budget.Delta);
        var step = RenyiCurve.Of(new PoissonGaussianEvent(_options.SamplingRate, _options.NoiseMultiplier), RenyiOrders.Integers);
        var (most, order) = (double.NegativeInfinity, 2.0);
        for (var i = 0; i < step.Divergences.Count; i++)
        {
            // Balle et al. 2020, arXiv:1905.09982, theorem 21: what the conversion leaves of ε for divergences, over a step's.
            var at = RenyiOrders.Integers.Values[i];
            var room = epsilon - Math.Log(1 - (1 / at)) + ((Math.Log(delta) + Math.Log(at)) / (at - 1));
            if (room / step.Divergences[i] > most)
            {
                (most, order) = (room / step.Divergences[i], at);
            }
        }

        return new(Format, Version, "example", "add-or-remove-one", delta, order);
    }

    private RenyiFilter FilterOf(DpSgdLedgerHeader header) =>
        header.Delta == _options.Budget.Delta
            ? new(_options.Budget, FilterAdaptivity.Adaptive, new RenyiOrders([header.Order]))
            : throw new InvalidDataException(
                $"The privacy ledger '{_path}' was begun with δ = {header.Delta}, the budget says {_options.Budget.Delta}; a δ is chosen once.");

    private static RenyiCurve Total(IEnumerable<DpSgdLedgerEntry> entries, RenyiOrders orders)
    {
        var accountant = new RenyiAccountant(orders);
        foreach (var entry in entries)
        {
            accountant.Compose(entry.Event);
        }

        return accountant.Total;
    }

    private long StepsLeft(RenyiFilter filter, RenyiCurve total)
    {
        var step = RenyiCurve.Of(new PoissonGaussianEvent(_options.SamplingRate, _options.NoiseMultiplier), filter.Orders);
        var (fits, tooMany) = (0L, 1L << 40);
        while (tooMany - fits > 1)
        {
            var middle = fits + ((tooMany - fits) / 2);
            (fits, tooMany) = filter.Admits(total, RenyiCurve.Zero(filter.Orders).Plus(step, middle)) ? (middle, tooMany) : (fits, middle);
        }

        return fits;
    }

    private FileStream Open(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (mode != FileMode.Open)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }
        }

        return new FileStream(_path, options);
    }

    private (DpSgdLedgerHeader? Header, List<DpSgdLedgerEntry> Entries, string Chain, long End) Read(FileStream file)
    {
        if (file.Length > MaxBytes)
        {
            throw new InvalidDataException($"'{_path}' has {file.Length} bytes; a privacy ledger has at most {MaxBytes}.");
        }

        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        DpSgdLedgerHeader? header = null;
        var entries = new List<DpSgdLedgerEntry>();
        var (chain, start, line) = (string.Empty, 0, 0);
        for (int length; (length = bytes.AsSpan(start).IndexOf((byte)'\n')) >= 0; start += length + 1)
        {
            line++;
            var json = Unchain(bytes.AsSpan(start, length), ref chain, line);
            if (header is null)
            {
                header = CheckHeader(Parse(json, DpSgdJson.Default.DpSgdLedgerHeader, line));
                continue;
            }

            entries.Add(CheckEntry(Parse(json, DpSgdJson.Default.DpSgdLedgerEntry, line), line));
        }

        return (header, entries, chain, start);
    }

    private ReadOnlySpan<byte> Unchain(ReadOnlySpan<byte> line, ref string chain, int number)
    {
        var json = line.Length > (2 * ChainBytes) + 1 ? line[..^((2 * ChainBytes) + 1)] : throw Damaged(number, null);
        var expected = Chain(chain, json);
        if (!line[json.Length..].SequenceEqual(Encoding.ASCII.GetBytes(' ' + expected)))
        {
            throw Damaged(number, null);
        }

        chain = expected;
        return json;
    }

    private T Parse<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type, int line)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw Damaged(line, null);
        }
        catch (JsonException problem)
        {
            throw Damaged(line, problem);
        }
    }

    private DpSgdLedgerHeader CheckHeader(DpSgdLedgerHeader header)
    {
        if (header.Format != Format || header.Version != Version)
        {
            throw new InvalidDataException(
                $"'{_path}' is '{header.Format}' version {header.Version}; expected '{Format}' version {Version}. Use the SDK that wrote it, or a newer one.");
        }

        return header.Order is >= 2 and <= RenyiOrders.Largest && header.Delta is > 0 and < 1 ? header : throw Damaged(1, null);
    }

    private DpSgdLedgerEntry CheckEntry(DpSgdLedgerEntry entry, int line)
    {
        try
        {
            return entry.Steps >= 1 && entry.Event is not null ? entry : throw Damaged(line, null);
        }
        catch (ArgumentException problem)
        {
            throw Damaged(line, problem);
        }
    }

    private InvalidDataException Damaged(int line, Exception? problem) => new(
        $"The privacy ledger '{_path}' is damaged at line {line}: what was spent is unknown, and nothing more is trained. Restore it from a backup.", problem);

    private static string AppendLine<T>(StringBuilder text, string chain, T value, JsonTypeInfo<T> type)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(value, type);
        var next = Chain(chain, json);
        text.Append(Encoding.UTF8.GetString(json)).Append(' ').Append(next).Append('\n');
        return next;
    }

    private static string Chain(string previous, ReadOnlySpan<byte> json)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.ASCII.GetBytes(previous));
        hash.AppendData(json);
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, ChainBytes));
    }
}
