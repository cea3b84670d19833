using FedServerless.Activities.Models;
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
    public ActivitySet(IObjectStore store, IPresence presence, IRoundBell bell, TimeProvider time)
    {
        var log = new RunLog(store, time);
        var models = new ModelCatalog(store);
        var rounds = new RoundReader(store, models);
        var planner = new RoundPlanner(store, presence, models);
        DecideStep = new DecideStep(store, presence, new ModelPreparation(store, models), planner, log);
        PlanRound = new PlanRound(planner, log);
        OpenRound = new OpenRound(store, bell, log, time);
        CountReceipts = new CountReceipts(store);
        SealRound = new SealRound(store, log);
        ValidateUpdates = new ValidateUpdates(store, rounds, models, new UpdateInspector(store, rounds));
        AcceptUpdates = new AcceptUpdates(store, log);
        FoldChunks = new FoldChunks(store, rounds);
        ReduceShard = new ReduceShard(store, rounds, models);
        PublishModel = new PublishModel(store, rounds, models);
        CloseRound = new CloseRound(store, bell, log, time);
        CleanUpdates = new CleanUpdates(store, rounds);
        OpenEvaluation = new OpenEvaluation(store, presence, models, bell, time);
        CountEvaluations = new CountEvaluations(store);
        SealEvaluation = new SealEvaluation(store, bell, log);
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
}
