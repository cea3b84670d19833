namespace FedServerless.Optimization;

/// <summary>
/// How clients' local training and the server's aggregation fit together, once for both sides: what is added to every local gradient, what a
/// client remembers, what an update weighs. Stateless and pure; the same formulas run on the device and on the server.
/// </summary>
/// <remarks>
/// A solver with memory gives every client i a vector sᵢ that begins at zero. The server keeps their sum Σ sᵢ over all clients of the population, and
/// changes it by what each included client's vector changes by, which both sides work out from the update as it is decoded: the uplink carries
/// nothing else.
/// </remarks>
public interface ILocalSolver
{
    /// <summary>The name in specs: one of <see cref="LocalSolvers"/>.</summary>
    string Name { get; }

    /// <summary>True when clients and server remember vectors between rounds.</summary>
    bool HasMemory { get; }

    /// <summary>True when the mean of all clients' vectors goes down with the model.</summary>
    bool NeedsMean { get; }

    /// <summary>
    /// <c>correction = mean − own</c>, or <c>−own</c> where no mean is needed: what is added to every local gradient. May overwrite either.
    /// </summary>
    /// <param name="own">sᵢ.</param>
    /// <param name="sum">Σ sᵢ over all clients; empty for zeros, and where no mean is needed.</param>
    /// <param name="clients">Clients in the population, 1 or more.</param>
    /// <param name="correction">As long as <paramref name="own"/>.</param>
    void Correct(ReadOnlySpan<float> own, ReadOnlySpan<float> sum, long clients, Span<float> correction);

    /// <summary><c>after = own + ChangeFactor·delta − mean</c>, without the mean where none is needed: sᵢ once the update is in the model.</summary>
    /// <param name="own">sᵢ.</param>
    /// <param name="sum">Σ sᵢ over all clients; empty for zeros, and where no mean is needed.</param>
    /// <param name="clients">Clients in the population, 1 or more.</param>
    /// <param name="delta">The update as the server decodes it.</param>
    /// <param name="steps">Gradient steps, 1 or more.</param>
    /// <param name="after">As long as <paramref name="own"/>; may be it.</param>
    void Remember(ReadOnlySpan<float> own, ReadOnlySpan<float> sum, long clients, ReadOnlySpan<float> delta, long steps, Span<float> after);

    /// <summary>What a client's vector changes by for each unit of its delta, in so many steps; 0 without memory.</summary>
    double ChangeFactor(long steps);

    /// <summary>
    /// The server's sum after a round: <c>after = sum + changes − included·sum/clients</c>, without the last term where no mean is needed. What the
    /// server's step is corrected by is left in <paramref name="aggregate"/>.
    /// </summary>
    /// <param name="sum">Σ sᵢ before.</param>
    /// <param name="changes">Σ ChangeFactor·delta over the included updates.</param>
    /// <param name="included">How many those are.</param>
    /// <param name="clients">Clients in the population, 1 or more.</param>
    /// <param name="after">Overwritten; may be <paramref name="sum"/>.</param>
    /// <param name="aggregate">The round's aggregate; FedDyn subtracts <c>after/(clients·α)</c>.</param>
    /// <returns>False when a value is not finite: nothing of the round may be published.</returns>
    bool TryAdvance(ReadOnlySpan<float> sum, ReadOnlySpan<double> changes, long included, long clients, Span<float> after, Span<double> aggregate);

    /// <summary>
    /// ‖a‖₁: how many plain steps so many steps amount to, where updates are divided by it; 1 where they are not.
    /// </summary>
    double Length(long steps);
}
