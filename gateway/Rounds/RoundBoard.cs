using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using FedServerless.Activities;
using FedServerless.Activities.State;
using FedServerless.Storage;

namespace FedServerless.Gateway.Rounds;

/// <summary>
/// What a population's clients can do now, as this host sees it: read again when the bell rings, and every few seconds while
/// somebody waits. However many wait, one listing serves them all.
/// </summary>
public sealed class RoundBoard(IObjectStore store, RoundFiles files, GatewayOptions options, TimeProvider time) : IRoundBell
{
    private readonly ConcurrentDictionary<string, Board> _boards = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public void Ring(string population) => Of(population).Ring();

    /// <summary>The population's open work, no older than <see cref="GatewayOptions.BoardFreshFor"/> and than the last ring.</summary>
    internal async Task<BoardView> LookAsync(string population, CancellationToken cancellationToken)
    {
        var board = Of(population);
        if (board.View is { } view && IsFresh(view))
        {
            return view;
        }

        await board.OneReader.WaitAsync(cancellationToken);
        try
        {
            if (board.View is { } latest && IsFresh(latest))
            {
                return latest;
            }

            // Taken before reading: a ring during the read makes the result stale, never lost.
            var bell = board.Bell;
            var previous = board.View;
            return board.View = await ReadAsync(population, previous, bell, cancellationToken);
        }
        finally
        {
            board.OneReader.Release();
        }
    }

    /// <summary>Waits until the bell rings after <paramref name="seen"/> was read, or for a while.</summary>
    internal async Task WaitAsync(BoardView seen, TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var delay = Task.Delay(atMost, time, ends.Token);
        await Task.WhenAny(seen.Bell, delay);
        await ends.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>
    /// Notes that a client's receipt is stored; true when this host knows of enough in the round and its workflow is to be told. It
    /// looks first: the clients of a host that has just started may go on with their commits without checking in.
    /// </summary>
    internal async Task<bool> NoteReceiptAsync(string population, string run, int round, string client, int enough, CancellationToken cancellationToken)
    {
        var view = await LookAsync(population, cancellationToken);
        return view.Trainings.FirstOrDefault(work => work.Run == run && work.Round == round) is { } work && Note(work.Done, work.Hints, client, enough);
    }

    /// <summary>The same for an evaluation.</summary>
    internal async Task<bool> NoteEvaluationAsync(string population, string run, int round, string client, int enough, CancellationToken cancellationToken)
    {
        var view = await LookAsync(population, cancellationToken);
        return view.Evaluations.FirstOrDefault(work => work.Run == run && work.Round == round) is { } work && Note(work.Done, work.Hints, client, enough);
    }

    private bool Note(ConcurrentDictionary<string, byte> done, HintGate hints, string client, int enough)
    {
        done[client] = 0;
        return done.Count >= enough && hints.Passes(time);
    }

    private Board Of(string population) => _boards.GetOrAdd(population, static _ => new Board());

    private bool IsFresh(BoardView view) => !view.Bell.IsCompleted && time.GetUtcNow() - view.ReadAt < options.BoardFreshFor;

    private async Task<BoardView> ReadAsync(string population, BoardView? previous, Task bell, CancellationToken cancellationToken)
    {
        var prefix = StoreNames.OpenWork(population);
        var names = new List<string>();
        var readAt = time.GetUtcNow();
        await foreach (var facts in store.ListAsync(prefix, cancellationToken))
        {
            names.Add(facts.Name[prefix.Length..]);
        }

        var trainings = ImmutableArray.CreateBuilder<OpenTraining>();
        var evaluations = ImmutableArray.CreateBuilder<OpenEvaluation>();
        foreach (var name in names)
        {
            if (name.Split('~') is not [var run, var number, var kind] || !int.TryParse(number, CultureInfo.InvariantCulture, out var round))
            {
                continue;
            }

            if (kind == "train" && await TrainingAsync(previous, run, round, cancellationToken) is { } training)
            {
                trainings.Add(training);
            }
            else if (kind == "evaluate" && await EvaluationAsync(previous, run, round, cancellationToken) is { } evaluation)
            {
                evaluations.Add(evaluation);
            }
        }

        return new BoardView(readAt, bell, trainings.ToImmutable(), evaluations.ToImmutable());
    }

    private async Task<OpenTraining?> TrainingAsync(BoardView? previous, string run, int round, CancellationToken cancellationToken)
    {
        // Who is done is remembered with the round's file and no longer: a run made anew under its name has neither.
        var file = await files.FindAsync(run, round, cancellationToken);
        if (previous?.Trainings.FirstOrDefault(work => work.File == file) is { } known)
        {
            return known;
        }

        var open = file is null ? null : await file.OpenAsync(cancellationToken);
        return open is null
            ? null
            : new OpenTraining(run, round, file!, open.Deadline, await ListAsync(StoreNames.Receipts(run, round), cancellationToken));
    }

    private async Task<OpenEvaluation?> EvaluationAsync(BoardView? previous, string run, int round, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (previous?.Evaluations.FirstOrDefault(work => work.Run == run && work.Round == round) is { } known
            && now - known.ReadAt < RoundFiles.RememberFor)
        {
            return known;
        }

        var open = await store.FindAsync(StoreNames.EvaluationOpen(run, round), StoreJson.Default.EvaluationOpenDocument, cancellationToken);
        return open is null
            ? null
            : new OpenEvaluation(
                run, round, open.Value, open.Value.Clients.ToHashSet(StringComparer.Ordinal),
                await ListAsync(StoreNames.Evaluations(run, round), cancellationToken), now);
    }

    private async Task<ConcurrentDictionary<string, byte>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        const string Suffix = ".json";
        var done = new ConcurrentDictionary<string, byte>(StringComparer.Ordinal);
        await foreach (var facts in store.ListAsync(prefix, cancellationToken))
        {
            done[facts.Name[prefix.Length..^Suffix.Length]] = 0;
        }

        return done;
    }

    private sealed class Board
    {
        private TaskCompletionSource _bell = NewBell();

        private volatile BoardView? _view;

        public SemaphoreSlim OneReader { get; } = new(1, 1);

        public Task Bell => Volatile.Read(ref _bell).Task;

        public BoardView? View
        {
            get => _view;
            set => _view = value;
        }

        public void Ring() => Interlocked.Exchange(ref _bell, NewBell()).TrySetResult();

        private static TaskCompletionSource NewBell() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>A population's open work at a moment.</summary>
internal sealed record BoardView(
    DateTimeOffset ReadAt, Task Bell, ImmutableArray<OpenTraining> Trainings, ImmutableArray<OpenEvaluation> Evaluations);

/// <summary>A round that collects updates, and who has a receipt there as far as this host knows.</summary>
internal sealed record OpenTraining(
    string Run, int Round, RoundFile File, DateTimeOffset Deadline, ConcurrentDictionary<string, byte> Done)
{
    /// <summary>Holds back hints to its workflow.</summary>
    public HintGate Hints { get; } = new();
}

/// <summary>An open evaluation, who is asked, and who has answered as far as this host knows.</summary>
internal sealed record OpenEvaluation(
    string Run, int Round, EvaluationOpenDocument Document, IReadOnlySet<string> Asked, ConcurrentDictionary<string, byte> Done,
    DateTimeOffset ReadAt)
{
    /// <summary>Holds back hints to its workflow.</summary>
    public HintGate Hints { get; } = new();
}
