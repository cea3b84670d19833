using FedServerless.Activities.Metering;
using FedServerless.Activities.Clients;
using FedServerless.Activities.Models;
using FedServerless.Activities.Models.Downloads;
using FedServerless.Activities.Privacy;
using FedServerless.Activities.Rounds;
using FedServerless.Activities.Runs;
using FedServerless.Storage;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;
using FedServerless.Workflows.Runs;

namespace FedServerless.Activities;

/// <summary>Every activity, made from the four things a host brings. A host binds each property to its engine.</summary>
public sealed class ActivitySet
{
    /// <summary>Makes the activities.</summary>
    /// <param name="store">All state.</param>
    /// <param name="presence">Who was seen lately.</param>
    /// <param name="bell">Told when open work changes.</param>
    /// <param name="time">The clock.</param>
    /// <param name="usage">Keeps what they use; its meter counts what they ask of a <see cref="MeteredStore"/>. Null for one that nobody else reads.</param>
    public ActivitySet(IObjectStore store, IPresence presence, IRoundBell bell, TimeProvider time, UsageBook? usage = null)
    {
        var book = usage ?? new UsageBook(store, new UsageMeter(new UsageOptions(), time), time);
        var log = new RunLog(store, time);
        var models = new ModelCatalog(store);
        var rounds = new RoundReader(store, models);
        var ledger = new PrivacyLedger(store, time);
        var planner = new RoundPlanner(store, presence, models, new StandingBook(store), ledger);
        DecideStep = Metered(new DecideStep(store, presence, new ModelPreparation(store, models), planner, log, book, ledger), book, progress => (progress.Run, Math.Max(1, progress.Round)));
        PlanRound = Metered(new PlanRound(planner, log), book, input => (input.Run, input.Round));
        OpenRound = Metered(new OpenRound(store, new DownloadPreparation(store, models), bell, log, time), book, input => (input.Run, input.Round));
        CountReceipts = Metered(new CountReceipts(store), book, input => (input.Run, input.Round));
        SealRound = Metered(new SealRound(store, log), book, input => (input.Run, input.Round));
        ValidateUpdates = Metered(new ValidateUpdates(store, rounds, models, new UpdateInspector(store, rounds)), book, chunk => (chunk.Run, chunk.Round));
        AcceptUpdates = Metered(new AcceptUpdates(store, log), book, input => (input.Run, input.Round));
        ChargePrivacy = Metered(new ChargePrivacy(rounds, ledger), book, input => (input.Run, input.Round));
        MeasureShard = Metered(new MeasureShard(store, rounds, models), book, input => (input.Run, input.Round));
        DecideAggregation = Metered(new DecideAggregation(store, rounds, log), book, input => (input.Run, input.Round));
        FoldChunks = Metered(new FoldChunks(store, rounds), book, input => (input.Run, input.Round));
        ReduceShard = Metered(new ReduceShard(store, rounds, models, new PrivateSum(store, rounds, ledger)), book, input => (input.Run, input.Round));
        PublishModel = Metered(new PublishModel(store, rounds, models), book, input => (input.Run, input.Round));
        CloseRound = Metered(new CloseRound(store, rounds, bell, log, book, ledger, time), book, input => (input.Run, input.Round));
        CleanUpdates = Metered(new CleanUpdates(store, rounds), book, input => (input.Run, input.Round));
        OpenEvaluation = Metered(new OpenEvaluation(store, presence, models, bell, time), book, input => (input.Run, input.Round));
        CountEvaluations = Metered(new CountEvaluations(store), book, input => (input.Run, input.Round));
        SealEvaluation = Metered(new SealEvaluation(store, bell, log), book, input => (input.Run, input.Round));
    }

    /// <summary>Behind <see cref="RunActivities.DecideStep"/>.</summary>
    public IActivity<RunProgress, RunStep> DecideStep { get; }

    /// <summary>Behind <see cref="RoundActivities.PlanRound"/>.</summary>
    public IActivity<RoundInput, RoundPlanned> PlanRound { get; }

    /// <summary>Behind <see cref="RoundActivities.OpenRound"/>.</summary>
    public IActivity<RoundInput, CollectionOpened> OpenRound { get; }

    /// <summary>Behind <see cref="RoundActivities.CountReceipts"/>.</summary>
    public IActivity<RoundInput, CollectionCount> CountReceipts { get; }

    /// <summary>Behind <see cref="RoundActivities.SealRound"/>.</summary>
    public IActivity<RoundInput, RoundSealed> SealRound { get; }

    /// <summary>Behind <see cref="RoundActivities.ValidateUpdates"/>.</summary>
    public IActivity<ValidationChunk, int> ValidateUpdates { get; }

    /// <summary>Behind <see cref="RoundActivities.AcceptUpdates"/>.</summary>
    public IActivity<RoundInput, RoundAccepted> AcceptUpdates { get; }

    /// <summary>Behind <see cref="RoundActivities.ChargePrivacy"/>.</summary>
    public IActivity<RoundInput, long> ChargePrivacy { get; }

    /// <summary>Behind <see cref="RoundActivities.MeasureShard"/>.</summary>
    public IActivity<MeasureInput, int> MeasureShard { get; }

    /// <summary>Behind <see cref="RoundActivities.DecideAggregation"/>.</summary>
    public IActivity<RoundInput, RoundDecided> DecideAggregation { get; }

    /// <summary>Behind <see cref="RoundActivities.FoldChunks"/>.</summary>
    public IActivity<FoldInput, int> FoldChunks { get; }

    /// <summary>Behind <see cref="RoundActivities.ReduceShard"/>.</summary>
    public IActivity<ReduceInput, ShardReduced> ReduceShard { get; }

    /// <summary>Behind <see cref="RoundActivities.PublishModel"/>.</summary>
    public IActivity<RoundInput, ModelPublished> PublishModel { get; }

    /// <summary>Behind <see cref="RoundActivities.CloseRound"/>.</summary>
    public IActivity<CloseInput, RoundOutcome> CloseRound { get; }

    /// <summary>Behind <see cref="RoundActivities.CleanUpdates"/>.</summary>
    public IActivity<CleanInput, int> CleanUpdates { get; }

    /// <summary>Behind <see cref="RoundActivities.OpenEvaluation"/>.</summary>
    public IActivity<RoundInput, CollectionOpened> OpenEvaluation { get; }

    /// <summary>Behind <see cref="RoundActivities.CountEvaluations"/>.</summary>
    public IActivity<RoundInput, CollectionCount> CountEvaluations { get; }

    /// <summary>Behind <see cref="RoundActivities.SealEvaluation"/>.</summary>
    public IActivity<RoundInput, int> SealEvaluation { get; }

    private static MeteredActivity<TInput, TOutput> Metered<TInput, TOutput>(
        IActivity<TInput, TOutput> activity, UsageBook book, Func<TInput, (string Run, int Round)> roundOf) => new(activity, book, roundOf);
}
