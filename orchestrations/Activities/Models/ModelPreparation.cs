using System.Collections.Immutable;
using System.Security.Cryptography;
using FedServerless.Activities.State;
using FedServerless.Model;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Activities.Models;

/// <summary>Gives a model its first version, and checks that a run fits the model it names.</summary>
public sealed class ModelPreparation(IObjectStore store, ModelCatalog models)
{
    /// <summary>Makes sure that a run can begin; null, or why it cannot.</summary>
    public async Task<string?> PrepareAsync(RunSpec spec, CancellationToken cancellationToken)
    {
        var served = await models.ServedAsync(spec.Model, cancellationToken);
        if (served is null)
        {
            if (spec.Architecture is null)
            {
                return $"model '{spec.Model}' has no version: upload one (fed model put {spec.Model} FILE) or name an architecture in the run";
            }

            await InitializeAsync(spec.Model, spec.Architecture, spec.Seed, cancellationToken);
            served = await models.ServedAsync(spec.Model, cancellationToken);
        }

        var layout = await models.LayoutAsync(served!.Value.Weights, cancellationToken);
        if (spec.Architecture is { } architecture && Architectures.Layout(architecture).Digest != layout.Digest)
        {
            return $"model '{spec.Model}' exists with another layout than the architecture of the run; leave the architecture out or choose another model name";
        }

        try
        {
            var shape = UpdateShape.Create(layout, spec.Update);
            var parts = shape.MaxParts(spec.Update.PartBytes);
            return parts <= DeviceApi.MaxParts
                ? null
                : $"update.partBytes {spec.Update.PartBytes} cuts an update of this model into {parts} parts; at most {DeviceApi.MaxParts} are allowed, choose larger parts";
        }
        catch (ArgumentException exception)
        {
            return exception.Message;
        }
    }

    /// <summary>Makes an uploaded or initialised file the first version, unless the model has one.</summary>
    /// <returns>The manifest of the version now served: this one or an earlier writer's.</returns>
    public async Task<Stored<ModelManifest>> AdoptAsync(string model, StoredArtifact weights, Digest layout, CancellationToken cancellationToken)
    {
        var version = ModelCatalog.InitialVersionOf(weights.Digest);
        var manifest = await store.CreateOnceAsync(
            StoreNames.Manifest(model, version),
            new ModelManifest(
                model, version, null, null, null, 0, weights, null, null, layout, null, null, null, 0,
                ImmutableSortedDictionary<string, double>.Empty),
            StoreJson.Default.ModelManifest,
            cancellationToken);
        await store.CreateOnceAsync(
            StoreNames.ModelPointer(model), new PointerDocument(version, manifest.Digest), StoreJson.Default.PointerDocument, cancellationToken);
        return (await models.ServedAsync(model, cancellationToken))!;
    }

    private async Task InitializeAsync(string model, ArchitectureSpec architecture, long seed, CancellationToken cancellationToken)
    {
        // Drawn twice, once for the digest that names it: a host never holds a model.
        Digest digest;
        long length;
        await using (var drawn = Architectures.OpenInitial(architecture, seed))
        {
            length = drawn.Length;
            digest = Digest.FromBytes(await SHA256.HashDataAsync(drawn, cancellationToken));
        }

        var name = StoreNames.Weights(model, ModelCatalog.InitialVersionOf(digest));
        if (await store.HeadAsync(name, cancellationToken) is null)
        {
            await using var drawn = Architectures.OpenInitial(architecture, seed);
            await store.PutAsync(name, drawn, length, PutCondition.CreateOnce, cancellationToken);
        }

        await AdoptAsync(model, new StoredArtifact(name, length, digest), Architectures.Layout(architecture).Digest, cancellationToken);
    }
}
