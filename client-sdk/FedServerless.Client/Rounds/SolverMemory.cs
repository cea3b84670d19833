using FedServerless.Client.Http;
using FedServerless.Client.State;
using FedServerless.Optimization;
using FedServerless.Wire;

namespace FedServerless.Client.Rounds;

/// <summary>
/// What a solver with memory needs for one round: this client's vector, which settles by what becomes of the update, and the sum of all
/// clients' vectors. What the vector becomes follows from the update as the server will decode it, so that both sides reckon with the same numbers.
/// </summary>
internal sealed class SolverMemory
{
    private readonly ILocalSolver _solver;
    private readonly SettlingState _state;
    private readonly TrainLease _lease;
    private readonly float[] _own;
    private readonly float[] _sum;

    private SolverMemory(ILocalSolver solver, SettlingState state, TrainLease lease, float[] own, float[] sum)
    {
        (_solver, _state, _lease, _own, _sum) = (solver, state, lease, own, sum);
        Correction = new float[own.Length];
        solver.Correct(own, sum, lease.Solver!.Clients, Correction);
    }

    /// <summary>What is added to every local gradient.</summary>
    public float[] Correction { get; }

    /// <summary>Whose vector it is, or null where the lease's solver remembers nothing. The rounds that it belongs to are part of it.</summary>
    public static SettlingKey? KeyOf(TrainLease lease) => lease.Solver is { } memory && Solver(lease).HasMemory
        ? new SettlingKey(lease.Model, SettlingKinds.Control, Digest.Of(System.Text.Encoding.UTF8.GetBytes($"{lease.Base.LayoutDigest}\n{lease.Training.Solver}\n{memory.Since}")))
        : null;

    /// <exception cref="GiveUpException">The lease asks for what this SDK or the trainer does not do.</exception>
    public static void Check(TrainLease lease, IFedTrainer trainer)
    {
        if (!Solver(lease).HasMemory)
        {
            return;
        }

        if (lease.Solver is null)
        {
            throw new GiveUpException($"the server's lease is not usable: it names the solver '{lease.Training.Solver}' and not what that needs");
        }

        if (!trainer.FollowsCorrection)
        {
            throw new GiveUpException($"the trainer does not add corrections to its gradients, which the solver '{lease.Training.Solver}' needs");
        }
    }

    /// <summary>Takes the vector, once the update before is settled, and downloads the sum.</summary>
    /// <returns>Null where the solver remembers nothing.</returns>
    public static async Task<SolverMemory?> TakeAsync(
        TrainLease lease, Work work, int parameters, Settling settling, Func<ModelArtifact, Task<string>> download, CancellationToken cancellationToken)
    {
        if (KeyOf(lease) is not { } key)
        {
            return null;
        }

        var state = settling.Of(key);
        var own = await settling.TakeAsync(state, work, parameters, cancellationToken).ConfigureAwait(false);
        var solver = Solver(lease);
        float[] sum = [];
        if (solver.NeedsMean && lease.Solver!.Sum is { } artifact)
        {
            sum = LeasedModel.Read(await download(artifact).ConfigureAwait(false), artifact).Values;
        }

        return own.Length == parameters && (sum.Length == 0 || sum.Length == parameters)
            ? new SolverMemory(solver, state, lease, own, sum)
            : throw new GiveUpException($"the sum of the clients' vectors has {sum.Length} values, the model {parameters} parameters");
    }

    /// <summary>Puts on disk what the vector becomes once this update is in the model.</summary>
    /// <param name="id">The update.</param>
    /// <param name="decoded">As the server decodes it.</param>
    /// <param name="samples">As the receipt claims: the server works out the steps from it, too.</param>
    public void Begin(PendingReceipt id, ReadOnlySpan<float> decoded, long samples)
    {
        var after = new float[_own.Length];
        _solver.Remember(_own, _sum, _lease.Solver!.Clients, decoded, LocalSolvers.Steps(_lease.Training, samples), after);
        _state.Begin(id, _own, after);
    }

    private static ILocalSolver Solver(TrainLease lease)
    {
        try
        {
            return LocalSolvers.Create(lease.Training);
        }
        catch (ArgumentException problem)
        {
            throw new GiveUpException($"{problem.Message} Use a newer SDK", problem);
        }
    }
}
