using FedServerless.Activities;
using FedServerless.Activities.Metering;
using FedServerless.Activities.Models;
using FedServerless.Activities.State;
using FedServerless.Model;
using FedServerless.Storage;
using FedServerless.Testing.Engine;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Workflows;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;
using FedServerless.Workflows.Runs;

namespace FedServerless.Testing.Federation;

/// <summary>
/// The real workflows and activities on the time-skipping engine, with simulated clients: a federation without a network whose
/// disk outlives it. Make another one over the same disk to start it again after a crash.
/// </summary>
public sealed class SimulatedFederation : IAsyncDisposable, IRoundBell, IWorkflowBinder
{
    public const string RunId = "run";

    private readonly bool _concurrently;

    public SimulatedFederation(
        InMemoryObjectStore disk, SimulatedClients clients, IObjectStore? store = null, ManualTimeProvider? time = null, Repeat repeat = Repeat.Never,
        UsageOptions? usage = null)
    {
        Disk = disk;
        Clients = clients;
        Environment = new WorkflowEnvironment(WorkflowJson.Default);
        Environment.RunActivitiesTwice = repeat == Repeat.InSequence;
        _concurrently = repeat == Repeat.AtOnce;
        var clock = time ?? Environment.Time;
        var metered = new MeteredStore(store ?? disk, isOwner: false);
        Usage = new UsageBook(metered, new UsageMeter(usage ?? new UsageOptions(), clock), clock);
        Activities = new ActivitySet(metered, clients, this, clock, Usage);
        WorkflowBindings.BindAll(this, Activities);
    }

    public InMemoryObjectStore Disk { get; }

    public SimulatedClients Clients { get; }

    public WorkflowEnvironment Environment { get; }

    public ActivitySet Activities { get; }

    public UsageBook Usage { get; }

    /// <summary>A spec that is valid and small; change what the test is about.</summary>
    public static RunSpec Spec(int rounds = 1) => new()
    {
        Model = "digits",
        Rounds = rounds,
        Seed = 7,
        Architecture = new ArchitectureSpec { Name = "softmax", Inputs = 8, Outputs = 3 },
        Round = new RoundSpec { DeadlineSeconds = 600, Minimum = 1 },
        Update = new UpdateSpec { BlockCoordinates = 1024 },
        RetainUpdates = true,
    };

    /// <summary>Stores the run; the caller of the gateway would have.</summary>
    public static async Task CreateAsync(IObjectStore disk, RunSpec spec) =>
        await disk.PutAsync(StoreNames.Run(RunId), RunDocument.Create(RunId, spec), StoreJson.Default.RunDocument, PutCondition.CreateOnce, CancellationToken.None);

    /// <summary>Stores an own model as version 0.</summary>
    public static async Task AdoptAsync(IObjectStore disk, string model, ModelState state)
    {
        var bytes = ModelStateFile.ToBytes(state);
        var name = StoreNames.ModelUpload(model, Digest.Of(bytes));
        await disk.PutBytesAsync(name, bytes, PutCondition.CreateOnce, CancellationToken.None);
        await new ModelPreparation(disk, new ModelCatalog(disk)).AdoptAsync(
            model, new StoredArtifact(name, bytes.Length, Digest.Of(bytes)), state.Layout.Digest, CancellationToken.None);
    }

    /// <summary>Runs the run to its end, skipping time.</summary>
    public Task<RunResult> RunAsync() => Environment.RunAsync(TrainingRunWorkflow.Definition, new RunProgress(RunId), RunId);

    /// <summary>Runs the run until it ends or its store has crashed, skipping time.</summary>
    public async Task RunUntilDeadOrDoneAsync(FaultInjectingStore store)
    {
        await Environment.Client.StartAsync(TrainingRunWorkflow.Definition, RunId, new RunProgress(RunId), CancellationToken.None);
        while (!store.HasCrashed)
        {
            var due = await Environment.RunUntilIdleAsync();
            var status = await Environment.Client.GetStatusAsync(RunId, CancellationToken.None);
            if (status!.Phase != WorkflowPhase.Running || due is null)
            {
                return;
            }

            Environment.Time.AdvanceTo(due.Value);
        }
    }

    /// <summary>Runs one round to its end, skipping time.</summary>
    public Task<RoundOutcome> RunRoundAsync(int round = 1) =>
        Environment.RunAsync(RoundWorkflow.Definition, new RoundInput(RunId, round), RoundWorkflow.InstanceId(RunId, round));

    /// <summary>The model served now.</summary>
    public async Task<ModelState> ServedAsync(string model = "digits")
    {
        var served = await new ModelCatalog(Disk).ServedAsync(model, CancellationToken.None);
        return await Clients.ReadModelAsync(served!.Value.Weights.Object, CancellationToken.None);
    }

    public async Task SetControlAsync(string desired)
    {
        var document = new ControlDocument(desired, null);
        await Disk.PutAsync(StoreNames.RunControl(RunId), document, StoreJson.Default.ControlDocument, PutCondition.Overwrite, CancellationToken.None);
    }

    void IRoundBell.Ring(string population)
    {
    }

    public ValueTask DisposeAsync() => Environment.DisposeAsync();

    void IWorkflowBinder.Bind<TInput, TOutput>(Workflow<TInput, TOutput> workflow, IWorkflow<TInput, TOutput> code) => Environment.AddWorkflow(workflow, code);

    void IWorkflowBinder.Bind<TInput, TOutput>(Activity<TInput, TOutput> activity, IActivity<TInput, TOutput> code)
    {
        if (activity.Name == RoundActivities.OpenRound.Name)
        {
            code = (IActivity<TInput, TOutput>)(object)new AnsweringOpenRound(Activities.OpenRound, Clients);
        }

        Environment.AddActivity(activity, async (input, cancellationToken) =>
        {
            if (!_concurrently)
            {
                return await code.RunAsync(input, cancellationToken);
            }

            var both = await Task.WhenAll(code.RunAsync(input, cancellationToken), Task.Run(() => code.RunAsync(input, cancellationToken)));
            return both[1];
        });
    }
}

/// <summary>Opens a round, and the simulated clients answer at once.</summary>
public sealed class AnsweringOpenRound(IActivity<RoundInput, CollectionOpened> inner, SimulatedClients clients) : IActivity<RoundInput, CollectionOpened>
{
    /// <inheritdoc/>
    public async Task<CollectionOpened> RunAsync(RoundInput input, CancellationToken cancellationToken)
    {
        var opened = await inner.RunAsync(input, cancellationToken);
        await clients.AnswerAsync(input.Run, input.Round, cancellationToken);
        return opened;
    }
}

/// <summary>How often activities run: at least once is all that an engine promises.</summary>
public enum Repeat
{
    /// <summary>Once.</summary>
    Never = 0,

    /// <summary>Twice, one after the other.</summary>
    InSequence,

    /// <summary>Twice at the same time.</summary>
    AtOnce,
}
