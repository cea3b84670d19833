using FedServerless.Activities.State;
using FedServerless.Model;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Wire;

namespace FedServerless.Samples.Tests;

/// <summary>A federation whose devices are programs of their own.</summary>
internal static class SampleFederation
{
    /// <summary>A code that leads to where the host truly listens: a program of its own does not know the tests' name for it.</summary>
    public static async Task<string> CodeAsync(this HostedFederation federation)
    {
        Assert.True(EnrolmentCode.TryParse(await federation.Operator.EnrolmentCodeAsync("device"), out var code));
        return (code! with { Server = federation.Host.Url }).ToString();
    }

    /// <summary>A version that was published.</summary>
    public static async Task<ModelState> PublishedAsync(this HostedFederation federation, string model, string version)
    {
        var manifest = await federation.Disk.GetAsync(StoreNames.Manifest(model, version), StoreJson.Default.ModelManifest, CancellationToken.None);
        return ModelStateFile.Read((await federation.Disk.FindBytesAsync(manifest.Value.Weights.Object, CancellationToken.None))!.Value.Content);
    }
}
