using FedServerless.Privacy;

namespace FedServerless.Cli.Privacy.Auditing;

/// <summary>The mechanism of the core, in memory.</summary>
/// <param name="steps">Where its noise comes from.</param>
/// <param name="grid">C.</param>
/// <param name="denominator">qN.</param>
/// <param name="noise">z.</param>
internal sealed class MemoryMechanism(RoundSteps steps, UpdateGrid grid, double denominator, double noise) : IAuditedMechanism
{
    public void Release(IEnumerable<float[]> updates, double[] mean)
    {
        var round = steps.Begin(mean.Length, grid, denominator, noise);
        foreach (var update in updates)
        {
            round.TryAdd(update);
        }

        round.Complete(mean);
    }
}
