using System.Buffers;
using System.Collections.Immutable;
using System.Security.Cryptography;
using FedServerless.Activities.Models;
using FedServerless.Activities.State;
using FedServerless.Gateway.Http;
using FedServerless.Model;
using FedServerless.Storage;
using FedServerless.Wire;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Models;

/// <summary>A model's first version: uploaded by content to a pre-signed URL, then checked and made the model. Its bytes stream; none are held.</summary>
public sealed class ModelUploads(IObjectStore store, ModelCatalog catalog, Models models, GatewayOptions options)
{
    /// <summary>Largest file: a header, and as many values as a layout has at most.</summary>
    public const long MaxBytes = SafetensorsHeader.MaxLength + (sizeof(float) * TensorLayout.MaxFloats) + (sizeof(long) * TensorLayout.MaxIntegers);

    internal async Task<Reply> AnnounceAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var model = call.Name("model");
        var request = call.Read(WireJson.Default.ModelUploadRequest);
        if (request.Bytes is < SafetensorsHeader.LengthBytes or > MaxBytes)
        {
            return Reply.Problem(Problems.Invalid(
                "No model has that size.", [new Problem("bytes", $"{request.Bytes}", $"{SafetensorsHeader.LengthBytes} to {MaxBytes}")]));
        }

        var presigned = await store.PresignCreateAsync(StoreNames.ModelUpload(model, request.Digest), request.Bytes, options.UrlsValidFor, cancellationToken);
        return Reply.Json(StatusCodes.Status200OK, new PartUpload(0, presigned.Method, presigned.Url, presigned.Headers), WireJson.Default.PartUpload);
    }

    internal async Task<Reply> CreateAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var model = call.Name("model");
        var digest = call.Read(WireJson.Default.CreateModelRequest).Digest;
        var version = ModelCatalog.InitialVersionOf(digest);
        if (await catalog.ServedAsync(model, cancellationToken) is { } served)
        {
            return served.Value.Version == version && served.Value.Weights.Digest == digest
                ? Reply.Json(StatusCodes.Status200OK, await models.ShowAsync(served.Value, isCurrent: true, cancellationToken), WireJson.Default.VersionView)
                : Reply.Problem(Taken(model));
        }

        var upload = StoreNames.ModelUpload(model, digest);
        var (bytes, layout) = await CheckAsync(upload, digest, cancellationToken);
        var weights = StoreNames.Weights(model, version);
        await CopyAsync(upload, weights, bytes, cancellationToken);
        var manifest = await store.CreateOnceAsync(
            StoreNames.Manifest(model, version),
            new ModelManifest(
                model, version, Parent: null, ParentManifest: null, Run: null, Round: 0, new StoredArtifact(weights, bytes, digest),
                OptimizerState: null, Optimizer: null, layout, Plan: null, Seal: null, AcceptedDigest: null, Accepted: 0,
                ImmutableSortedDictionary<string, double>.Empty),
            StoreJson.Default.ModelManifest, cancellationToken);
        var pointer = await store.CreateOnceAsync(
            StoreNames.ModelPointer(model), new PointerDocument(version, manifest.Digest), StoreJson.Default.PointerDocument, cancellationToken);
        if (pointer.Value.Version != version)
        {
            return Reply.Problem(Taken(model));
        }

        await store.DeleteAsync(upload, cancellationToken);
        return Reply.Json(StatusCodes.Status201Created, await models.ShowAsync(manifest.Value, isCurrent: true, cancellationToken), WireJson.Default.VersionView);
    }

    private static ProblemDetails Taken(string model) => Problems.Conflict(
        "/problems/model-exists", "The model exists", $"'{model}' has versions already; a first version needs a new name.");

    /// <summary>The upload's length and layout.</summary>
    /// <exception cref="ProblemException">404: not uploaded; 422: not what was announced, or not a model in the form that is served.</exception>
    private async Task<(long Bytes, Digest Layout)> CheckAsync(string upload, Digest digest, CancellationToken cancellationToken)
    {
        long bytes;
        await using (var content = await store.OpenAsync(upload, 0, cancellationToken)
            ?? throw new ProblemException(Problems.NotFound("No file of this digest was uploaded; POST models/{model}/uploads gives a URL.")))
        {
            bytes = content.Facts.Length;
            if (await HashAsync(content.Stream, cancellationToken) != digest)
            {
                // It lies under a name that it does not deserve: away with it, so that the right one can be uploaded.
                await store.DeleteAsync(upload, cancellationToken);
                throw Unprocessable("The uploaded bytes do not have the digest they were announced with; upload them again.");
            }
        }

        var (header, problem) = await catalog.TryReadHeaderAsync(upload, bytes, cancellationToken);
        if (header is null)
        {
            throw Unprocessable($"Not a safetensors model: {problem}");
        }

        if (!header.IsContiguous)
        {
            throw Unprocessable("The tensors are not in canonical order (integers, parameters, buffers); 'fed model put' writes the file in that order.");
        }

        return await ModelScan.FindNotFiniteAsync(store, upload, header, cancellationToken) is { } notFinite
            ? throw Unprocessable(notFinite)
            : (bytes, header.Layout.Digest);
    }

    private static async Task<Digest> HashAsync(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(128 << 10);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            int read;
            while ((read = await stream.ReadAsync(buffer, cancellationToken)) > 0)
            {
                hash.AppendData(buffer, 0, read);
            }

            return Digest.FromBytes(hash.GetHashAndReset());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task CopyAsync(string from, string to, long bytes, CancellationToken cancellationToken)
    {
        await using var content = await store.OpenAsync(from, 0, cancellationToken)
            ?? throw new ProblemException(Problems.WrongState("The uploaded file was taken by another request; ask again."));
        await store.PutAsync(to, content.Stream, bytes, PutCondition.CreateOnce, cancellationToken);
    }

    private static ProblemException Unprocessable(string detail) =>
        new(new ProblemDetails("/problems/invalid-model", "The file cannot be served", 422, detail));
}
