using System.Text.Json;
using FedServerless.Activities.State;
using FedServerless.Gateway.Http;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Updates;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Rounds;

/// <summary><c>POST runs/{run}/rounds/{round}/uploads</c>: pre-signed, create-only URLs for what is not there yet.</summary>
public sealed class Uploads(IObjectStore store, RoundFiles files, GatewayOptions options)
{
    /// <summary>Different updates that one client may begin in one round.</summary>
    public const int MaxUpdatesPerRound = 3;

    /// <summary>Last segment of the object that holds what a client announced under a header digest.</summary>
    internal const string Announcement = "announced";

    internal async Task<Reply> AskAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var (run, round) = (call.Name("run"), call.Round());
        var request = call.Read(WireJson.Default.UploadRequest);
        var file = await Admission.ForRoundAsync(files, run, round, call.Device, cancellationToken);
        if (await file.OpenAsync(cancellationToken) is null)
        {
            return Reply.Problem(Problems.WrongState($"Round {round} of '{run}' is not open yet."));
        }

        if (await store.HeadAsync(StoreNames.Closing(run, round), cancellationToken) is not null)
        {
            return Reply.Problem(Problems.Closed($"Round {round} of '{run}' takes no more updates."));
        }

        var problems = Check(request, await file.ShapeAsync(cancellationToken), file.Plan.Update);
        if (problems.Count > 0)
        {
            return Reply.Problem(Problems.Invalid("No update of this round looks like that.", problems));
        }

        var there = await AnnounceAsync(run, round, call.Device.Client, request, cancellationToken);
        var missing = await MissingAsync(run, round, call.Device.Client, request, there, cancellationToken);
        return Reply.Json(StatusCodes.Status200OK, new UploadResponse(missing), WireJson.Default.UploadResponse);
    }

    /// <summary>Everything that is wrong with an announced update. Bounds follow from the layout: a client cannot fill the store.</summary>
    internal static List<Problem> Check(UploadRequest request, UpdateShape shape, UpdateSpec update)
    {
        var problems = new List<Problem>();
        var (least, partBytes) = (update.MinPartBytes ?? update.PartBytes, request.PartBytes ?? update.PartBytes);
        if (partBytes < least || partBytes > update.PartBytes)
        {
            problems.Add(new("partBytes", $"{partBytes}", least == update.PartBytes ? $"{least}" : $"{least} to {update.PartBytes}"));
            return problems;
        }

        if (request.HeaderBytes != shape.HeaderLength)
        {
            problems.Add(new("headerBytes", $"{request.HeaderBytes}", $"{shape.HeaderLength}, as the layout and the block size have it"));
        }

        var maxBytes = shape.MaxPartLength(partBytes);
        var maxParts = Math.Min(DeviceApi.MaxParts, shape.MaxParts(partBytes));
        if (request.Parts.Count < 1 || request.Parts.Count > maxParts)
        {
            problems.Add(new("parts", $"{request.Parts.Count} parts", $"1 to {maxParts} parts"));
            return problems;
        }

        long total = 0;
        Span<byte> md5 = stackalloc byte[16];
        for (var i = 0; i < request.Parts.Count; i++)
        {
            // JSON's null gets past the annotations where it is an element of a list.
            if (request.Parts[i] is not { } part)
            {
                problems.Add(new($"parts[{i}]", null, "a part: {bytes, contentMd5}"));
                continue;
            }

            if (part.Bytes < 1 || part.Bytes > maxBytes)
            {
                problems.Add(new($"parts[{i}].bytes", $"{part.Bytes}", $"1 to {maxBytes}"));
            }

            if (!Convert.TryFromBase64String(part.ContentMd5, md5, out var written) || written != 16 || part.ContentMd5.Length != 24)
            {
                problems.Add(new($"parts[{i}].contentMd5", RouteCall.Shorten(part.ContentMd5), "the MD5 of the part: 16 bytes, base64"));
            }

            total += part.Bytes;
        }

        if (total > shape.MaxPayloadLength)
        {
            problems.Add(new("parts", $"{total} bytes", $"at most {shape.MaxPayloadLength} bytes in all"));
        }

        return problems;
    }

    /// <summary>
    /// Pins what the digest stands for, then counts: every asker writes before it lists, so that of any number at once no more than
    /// <see cref="MaxUpdatesPerRound"/> see few enough. Returns what lies under the client's prefix.
    /// </summary>
    private async Task<IReadOnlyDictionary<string, long>> AnnounceAsync(
        string run, int round, string client, UploadRequest request, CancellationToken cancellationToken)
    {
        var prefix = StoreNames.ClientUpdates(run, round, client);
        var name = $"{prefix}{request.HeaderDigest}/{Announcement}";
        var bytes = JsonSerializer.SerializeToUtf8Bytes(request, WireJson.Default.UploadRequest);
        var put = await store.PutBytesAsync(name, bytes, PutCondition.CreateOnce, cancellationToken);
        if (!put.Written && await store.FindBytesAsync(name, cancellationToken) is { } before && !before.Content.AsSpan().SequenceEqual(bytes))
        {
            throw new ProblemException(Problems.Conflict(
                "/problems/other-parts", "Announced differently before", "The same header digest was announced with other lengths or parts."));
        }

        var there = await ListAsync(store, prefix, cancellationToken);
        if (there.Keys.Select(found => found[..found.IndexOf('/')]).Distinct(StringComparer.Ordinal).Count() > MaxUpdatesPerRound)
        {
            if (put.Written)
            {
                await store.DeleteAsync(name, cancellationToken);
            }

            throw new ProblemException(Problems.Conflict(
                "/problems/too-many-updates", "Too many updates", $"A client may begin {MaxUpdatesPerRound} different updates in a round; commit one of those."));
        }

        return there;
    }

    private async Task<List<PartUpload>> MissingAsync(
        string run, int round, string client, UploadRequest request, IReadOnlyDictionary<string, long> there, CancellationToken cancellationToken)
    {
        var missing = new List<PartUpload>();
        var prefix = StoreNames.ClientUpdates(run, round, client);
        var header = StoreNames.UpdateHeader(run, round, client, request.HeaderDigest);
        if (!there.ContainsKey(header[prefix.Length..]))
        {
            var presigned = await store.PresignCreateAsync(header, request.HeaderBytes, options.UrlsValidFor, cancellationToken);
            missing.Add(new PartUpload(-1, presigned.Method, presigned.Url, presigned.Headers));
        }

        for (var i = 0; i < request.Parts.Count; i++)
        {
            var part = StoreNames.UpdatePart(run, round, client, request.HeaderDigest, i);
            if (!there.ContainsKey(part[prefix.Length..]))
            {
                var presigned = await store.PresignCreateAsync(part, request.Parts[i].Bytes, options.UrlsValidFor, cancellationToken);
                var headers = new Dictionary<string, string>(presigned.Headers) { ["Content-MD5"] = request.Parts[i].ContentMd5 };
                missing.Add(new PartUpload(i, presigned.Method, presigned.Url, headers));
            }
        }

        return missing;
    }

    /// <summary>Lengths by name below the prefix.</summary>
    internal static async Task<IReadOnlyDictionary<string, long>> ListAsync(IObjectStore store, string prefix, CancellationToken cancellationToken)
    {
        var there = new Dictionary<string, long>(StringComparer.Ordinal);
        await foreach (var facts in store.ListAsync(prefix, cancellationToken))
        {
            there[facts.Name[prefix.Length..]] = facts.Length;
        }

        return there;
    }
}
