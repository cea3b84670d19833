using System.Text;
using FedServerless.Activities;
using FedServerless.Activities.Models;
using FedServerless.Activities.State;
using FedServerless.Functions.Tests.Engine;
using FedServerless.Storage;
using FedServerless.Testing.Federation;
using FedServerless.Wire;
using FedServerless.Workflows;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;
using FedServerless.Workflows.Runs;

namespace FedServerless.Functions.Tests.Federation;

/// <summary>The real workflows and activities on Durable's in-process backend, with the simulated clients of the embedded engine's tests.</summary>
internal sealed class DurableFederation : IAsyncDisposable, IRoundBell
{
    private readonly IObjectStore _store;
    private readonly SimulatedClients _clients;
    private readonly ActivitySet _activities;

    public DurableFederation(IObjectStore store, int clients)
    {
        _store = store;
        _clients = new SimulatedClients(store, clients);
        _activities = new ActivitySet(store, _clients, this, TimeProvider.System);
        Engine.OnMessage = (what, text) => Messages.Add((what, Encoding.UTF8.GetByteCount(text)));
    }

    public DurableFixture Engine { get; } = new(WorkflowJson.Default);

    /// <summary>Every message that travelled: inputs and outputs of workflows and activities.</summary>
    public System.Collections.Concurrent.ConcurrentBag<(string What, int Bytes)> Messages { get; } = [];

    /// <summary>Binds everything, with another code for rounds if there is one.</summary>
    public void Bind(IWorkflowBinder engine, IWorkflow<RoundInput, RoundOutcome>? rounds = null) =>
        WorkflowBindings.BindAll(new Replacing(engine, rounds, new AnsweringOpenRound(_activities.OpenRound, _clients)), _activities);

    public async Task<WorkflowStatus> RunAsync(string instanceId)
    {
        await StartAsync(instanceId);
        return await Engine.CompleteAsync(instanceId);
    }

    public Task<bool> StartAsync(string instanceId) => Engine.Client.StartAsync(
        TrainingRunWorkflow.Definition, instanceId, new RunProgress(SimulatedFederation.RunId), CancellationToken.None);

    /// <summary>The bytes of the version served now.</summary>
    public static async Task<string> ServedAsync(IObjectStore store)
    {
        var served = await new ModelCatalog(store).ServedAsync("digits", CancellationToken.None);
        var weights = await store.FindBytesAsync(served!.Value.Weights.Object, CancellationToken.None);
        return $"{served.Value.Weights.Object} {Digest.Of(weights!.Value.Content)}";
    }

    void IRoundBell.Ring(string population)
    {
    }

    public ValueTask DisposeAsync() => Engine.DisposeAsync();

    private sealed class Replacing(IWorkflowBinder inner, IWorkflow<RoundInput, RoundOutcome>? rounds, AnsweringOpenRound opening) : IWorkflowBinder
    {
        public void Bind<TInput, TOutput>(Workflow<TInput, TOutput> workflow, IWorkflow<TInput, TOutput> code) =>
            inner.Bind(workflow, code is RoundWorkflow && rounds is not null ? (IWorkflow<TInput, TOutput>)(object)rounds : code);

        public void Bind<TInput, TOutput>(Activity<TInput, TOutput> activity, IActivity<TInput, TOutput> code) =>
            inner.Bind(activity, activity.Name == RoundActivities.OpenRound.Name ? (IActivity<TInput, TOutput>)(object)opening : code);
    }
}
