using FedServerless.Optimization;
using FedServerless.Wire;

namespace FedServerless.Activities.State;

/// <summary>The memory of a round's solver.</summary>
/// <param name="Since">Names the rounds that share it: those of a run, as long as each goes on from the version that the last one published.</param>
/// <param name="Clients">N: clients in the population.</param>
/// <param name="Sum">The sum of all clients' vectors; null for zeros.</param>
public sealed record SolverPlan(string Since, long Clients, StoredArtifact? Sum)
{
    /// <summary>What goes down to each device with the model: the sum, where the solver corrects by the mean; null for nothing.</summary>
    public StoredArtifact? SentFor(TrainingSpec training) => LocalSolvers.Create(training).NeedsMean ? Sum : null;
}

/// <summary>What a version carries of its solver's memory.</summary>
/// <param name="Name">The solver.</param>
/// <param name="Since">Names the rounds that share it.</param>
/// <param name="Sum">The sum of all clients' vectors.</param>
public sealed record SolverState(string Name, string Since, StoredArtifact Sum);
