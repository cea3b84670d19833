using FedServerless.Activities.State;
using FedServerless.Model;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests;

/// <summary>What a federation published, read from its store.</summary>
internal static class Published
{
    /// <summary>The model file of a version; its digest is the manifest's.</summary>
    public static async Task<byte[]> BytesAsync(IObjectStore store, string model, string version)
    {
        var manifest = await store.GetAsync(StoreNames.Manifest(model, version), StoreJson.Default.ModelManifest, CancellationToken.None);
        var found = await store.FindBytesAsync(manifest.Value.Weights.Object, CancellationToken.None);
        Assert.Equal(manifest.Value.Weights.Digest, Digest.Of(found!.Value.Content));
        return found.Value.Content;
    }

    /// <summary>The same, parsed.</summary>
    public static async Task<ModelState> ReadAsync(IObjectStore store, string model, string version) =>
        ModelStateFile.Read(await BytesAsync(store, model, version));
}
