using FedServerless.Activities.Models;
using FedServerless.Activities.State;
using FedServerless.Gateway.Http;
using FedServerless.Storage;
using FedServerless.Wire;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Models;

/// <summary>Reading models and moving their pointers.</summary>
public sealed class Models(IObjectStore store, ModelCatalog catalog, GatewayOptions options)
{
    internal async Task<Reply> ListAsync(RouteCall call, CancellationToken cancellationToken)
    {
        const string Suffix = "/pointer.json";
        var names = new List<string>();
        await foreach (var facts in store.ListAsync(StoreNames.Models, cancellationToken))
        {
            if (facts.Name.EndsWith(Suffix, StringComparison.Ordinal))
            {
                names.Add(facts.Name[StoreNames.Models.Length..^Suffix.Length]);
            }
        }

        var views = new List<VersionView>();
        foreach (var name in names.Order(StringComparer.Ordinal))
        {
            if (await catalog.ServedAsync(name, cancellationToken) is { } served)
            {
                views.Add(await ShowAsync(served.Value, isCurrent: true, cancellationToken));
            }
        }

        return Reply.Json(StatusCodes.Status200OK, new Listing<VersionView>(views), WireJson.Default.ListingVersionView);
    }

    internal async Task<Reply> GetAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var model = call.Name("model");
        var served = await catalog.ServedAsync(model, cancellationToken) ?? throw Absent(model);
        return Reply.Json(StatusCodes.Status200OK, await ShowAsync(served.Value, isCurrent: true, cancellationToken), WireJson.Default.VersionView);
    }

    internal async Task<Reply> VersionsAsync(RouteCall call, CancellationToken cancellationToken)
    {
        const string Suffix = "/manifest.json";
        var model = call.Name("model");
        var pointer = await PointerAsync(model, cancellationToken);
        var names = new List<string>();
        await foreach (var facts in store.ListAsync(StoreNames.Versions(model), cancellationToken))
        {
            if (facts.Name.EndsWith(Suffix, StringComparison.Ordinal))
            {
                names.Add(facts.Name);
            }
        }

        var manifests = new List<ModelManifest>();
        foreach (var name in names)
        {
            manifests.Add((await store.GetAsync(name, StoreJson.Default.ModelManifest, cancellationToken)).Value);
        }

        // A run's versions by round: names sort 10 before 9.
        var views = new List<VersionView>();
        foreach (var manifest in manifests.OrderBy(version => version.Run, StringComparer.Ordinal).ThenBy(version => version.Round).ThenBy(version => version.Version, StringComparer.Ordinal))
        {
            views.Add(await ShowAsync(manifest, manifest.Version == pointer.Value.Version, cancellationToken));
        }

        return Reply.Json(StatusCodes.Status200OK, new Listing<VersionView>(views), WireJson.Default.ListingVersionView);
    }

    internal async Task<Reply> VersionAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var model = call.Name("model");
        var pointer = await PointerAsync(model, cancellationToken);
        var manifest = await ManifestAsync(model, Version(call), cancellationToken);
        var view = await ShowAsync(manifest.Value, manifest.Value.Version == pointer.Value.Version, cancellationToken);
        return Reply.Json(StatusCodes.Status200OK, view, WireJson.Default.VersionView);
    }

    internal async Task<Reply> RollBackAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var model = call.Name("model");
        var version = call.Read(WireJson.Default.RollbackRequest).Version;
        if (!ModelCatalog.IsVersion(version))
        {
            return Reply.Problem(Problems.Invalid(
                "The pointer stays.", [new Problem("version", RouteCall.Shorten(version), "the name of a version, as GET models/{model}/versions lists them")]));
        }

        var pointer = await PointerAsync(model, cancellationToken);
        var manifest = await ManifestAsync(model, version, cancellationToken);
        if (pointer.Value.Version != version)
        {
            var put = await store.PutAsync(
                StoreNames.ModelPointer(model), new PointerDocument(version, manifest.Digest), StoreJson.Default.PointerDocument,
                PutCondition.IfMatch(pointer.ETag), cancellationToken);
            if (!put.Written)
            {
                return Reply.Problem(Problems.WrongState($"The pointer of '{model}' moved at this moment; look where it is, then decide again."));
            }
        }

        return Reply.Json(StatusCodes.Status200OK, await ShowAsync(manifest.Value, isCurrent: true, cancellationToken), WireJson.Default.VersionView);
    }

    internal async Task<VersionView> ShowAsync(ModelManifest manifest, bool isCurrent, CancellationToken cancellationToken)
    {
        var request = await store.PresignGetAsync(manifest.Weights.Object, options.UrlsValidFor, cancellationToken);
        var weights = new ModelArtifact(request.Url, manifest.Weights.Bytes, manifest.Weights.Digest, manifest.Layout);
        return new VersionView(
            manifest.Model, manifest.Version, manifest.Parent, weights, isCurrent, manifest.Run, manifest.Round, manifest.Accepted, manifest.Metrics);
    }

    private async Task<Stored<PointerDocument>> PointerAsync(string model, CancellationToken cancellationToken) =>
        await store.FindAsync(StoreNames.ModelPointer(model), StoreJson.Default.PointerDocument, cancellationToken) ?? throw Absent(model);

    private async Task<Stored<ModelManifest>> ManifestAsync(string model, string version, CancellationToken cancellationToken) =>
        await store.FindAsync(StoreNames.Manifest(model, version), StoreJson.Default.ModelManifest, cancellationToken)
        ?? throw new ProblemException(Problems.NotFound($"Model '{model}' has no version '{version}'."));

    private static string Version(RouteCall call) =>
        call.Http.Request.RouteValues["version"] is string version && ModelCatalog.IsVersion(version)
            ? version
            : throw new ProblemException(Problems.NotFound("No version has that name; GET models/{model}/versions lists them."));

    private static ProblemException Absent(string model) => new(Problems.NotFound($"There is no model '{model}'."));
}
