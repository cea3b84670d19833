using FedServerless.Wire;

namespace FedServerless.Client.Rounds;

/// <summary>A model, and how this device gets it.</summary>
/// <param name="Model">The model.</param>
/// <param name="Via">Encoded files that make it, in order; null when it is downloaded as it is.</param>
internal sealed record ModelSource(ModelArtifact Model, IReadOnlyList<ModelStep>? Via = null);
