using FedServerless.Activities.Metering;
using FedServerless.Activities.State;
using FedServerless.Aggregation;
using FedServerless.Gateway.Authentication;
using FedServerless.Gateway.Http;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Workflows;
using FedServerless.Workflows.Rounds;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Rounds;

/// <summary>Committing an update, and learning what became of it.</summary>
public sealed class Receipts(IObjectStore store, RoundFiles files, RoundBoard board)
{
    // Thousands ask what became of them at once, and of a large round each answer would take megabytes.
    private readonly LastRead<SealDocument> _seal = new(store, StoreJson.Default.SealDocument);

    private readonly LastRead<AcceptedDocument> _accepted = new(store, StoreJson.Default.AcceptedDocument);

    internal async Task<Reply> CommitAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var (run, round) = (call.Name("run"), call.Round());
        var receipt = call.Read(WireJson.Default.Receipt);
        var client = call.Device.Client;
        var problems = Admission.Check(receipt.Client, receipt.Run, receipt.Round, receipt.Samples, receipt.Metrics, (client, run, round));
        if (problems.Count > 0)
        {
            return Reply.Problem(Problems.Invalid("The receipt was not stored.", problems));
        }

        var file = await Admission.ForRoundAsync(files, run, round, call.Device, cancellationToken);
        if (!await file.IsBaseAsync(receipt.BaseDigest, cancellationToken))
        {
            return Reply.Problem(Problems.Conflict(
                "/problems/stale-base", "Trained from another version", $"This round's updates start from version {file.Plan.BaseVersion}; the receipt names another."));
        }

        var name = StoreNames.Receipt(run, round, client);
        if (await store.HeadAsync(name, cancellationToken) is null)
        {
            if (await LeaseChoices.FindAsync(store, file.Plan, client, cancellationToken) != receipt.Choice)
            {
                return Reply.Problem(Problems.Invalid(
                    "The receipt was not stored.", [new Problem("choice", receipt.Choice?.ToString(), "what the lease of this round chose, or nothing where it chose nothing")]));
            }

            await CheckUploadAsync(file.Plan, receipt, cancellationToken);
        }

        var document = new ReceiptDocument(receipt, Convert.ToBase64String(call.Body), call.Device.Proof, call.Device.Key.Thumbprint);
        var reply = await Commitment.WriteAsync(
            store, name, document, StoreJson.Default.ReceiptDocument, before => IsSame(before, receipt), StoreNames.Closing(run, round),
            token => IsSealedAsync(run, round, client, token), cancellationToken);
        await BareIfClosedAsync(file.Plan, client, document, cancellationToken);
        if (await board.NoteReceiptAsync(call.Device.Population, run, round, client, file.Plan.Quorum, cancellationToken))
        {
            await WakeAsync(store, call, run, instance => RoundWorkflow.InstanceId(instance, round), cancellationToken);
        }

        return reply;
    }

    internal async Task<Reply> MineAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var status = await StatusAsync(call.Name("run"), call.Round(), call.Device, cancellationToken);
        return Reply.Json(StatusCodes.Status200OK, status, WireJson.Default.ReceiptStatus);
    }

    /// <summary>A hint to the round's or the evaluation's workflow that enough is there.</summary>
    internal static async Task WakeAsync(
        IObjectStore store, RouteCall call, string run, Func<string, string> instance, CancellationToken cancellationToken)
    {
        var name = StoreNames.ActiveRun(call.Device.Population, run);
        var active = await store.FindAsync(name, StoreJson.Default.ActiveRunDocument, cancellationToken);
        if (active is not null)
        {
            await call.Workflows.WakeAsync(instance(active.Value.Instance), WakeEvents.Quorum, cancellationToken);
        }
    }

    // What a private round's close left of a receipt says only that it was there.
    private static bool IsSame(ReceiptDocument stored, Receipt sent) => stored.IsBare
        || (stored.Receipt with { Metrics = sent.Metrics } == sent && Commitment.SameMetrics(stored.Receipt.Metrics, sent.Metrics));

    // The close of a private round bares every receipt it finds after the outcome stands. One that comes later finds the outcome, and nobody else will look at it.
    private async Task BareIfClosedAsync(RoundPlan plan, string client, ReceiptDocument document, CancellationToken cancellationToken)
    {
        if (plan.Privacy is not null && await store.HeadAsync(StoreNames.RoundOutcome(plan.Run, plan.Round), cancellationToken) is not null)
        {
            await store.PutAsync(
                StoreNames.Receipt(plan.Run, plan.Round, client), document.Bare(), StoreJson.Default.ReceiptDocument, PutCondition.Overwrite, cancellationToken);
        }
    }

    /// <summary>All that was announced lies there, in the lengths announced, and adds up to what the receipt says.</summary>
    private async Task CheckUploadAsync(RoundPlan plan, Receipt receipt, CancellationToken cancellationToken)
    {
        var prefix = $"{StoreNames.ClientUpdates(plan.Run, plan.Round, receipt.Client)}{receipt.HeaderDigest}/";
        var there = await Uploads.ListAsync(store, prefix, cancellationToken);
        var announced = await store.FindAsync(prefix + Uploads.Announcement, WireJson.Default.UploadRequest, cancellationToken);
        if (announced is null)
        {
            throw new ProblemException(await store.HeadAsync(StoreNames.Closing(plan.Run, plan.Round), cancellationToken) is null
                ? Problems.Conflict("/problems/incomplete-upload", "The upload is not complete", "No upload was announced under this header digest.")
                : Problems.Closed($"Round {plan.Round} of '{plan.Run}' takes no more updates, and this one was not uploaded in time."));
        }

        var problems = new List<Problem>();
        Expect("header", announced.Value.HeaderBytes, "headerDigest");
        var total = (long)announced.Value.HeaderBytes;
        for (var i = 0; i < announced.Value.Parts.Count; i++)
        {
            var part = announced.Value.Parts[i];
            Expect(StoreNames.UpdatePart(plan.Run, plan.Round, receipt.Client, receipt.HeaderDigest, i)[prefix.Length..], part.Bytes, $"parts[{i}]");
            total += part.Bytes;
        }

        if (receipt.PartBytes != announced.Value.PartBytes)
        {
            problems.Add(new("partBytes", $"{receipt.PartBytes}", announced.Value.PartBytes is { } size ? $"{size}, as announced" : "nothing, as announced"));
        }

        if (receipt.Bytes != total)
        {
            problems.Add(new("bytes", $"{receipt.Bytes}", $"{total}, as announced"));
        }

        if (problems.Count > 0)
        {
            throw new ProblemException(Problems.Conflict(
                "/problems/incomplete-upload", "The upload is not complete", "The receipt was not stored; ask for uploads again to see what is missing.") with
            {
                Problems = problems,
            });
        }

        void Expect(string name, long bytes, string field)
        {
            if (!there.TryGetValue(name, out var length) || length != bytes)
            {
                problems.Add(new(field, there.ContainsKey(name) ? $"{length} bytes" : null, $"an uploaded object of {bytes} bytes"));
            }
        }
    }

    private async Task<bool?> IsSealedAsync(string run, int round, string client, CancellationToken cancellationToken)
    {
        var seal = await _seal.FindAsync(StoreNames.Seal(run, round), seal => seal.Receipts.Count > ClientChunks.Size, cancellationToken);
        return seal?.Value.Receipts.Contains(client);
    }

    private async Task<ReceiptStatus> StatusAsync(string run, int round, DeviceCaller device, CancellationToken cancellationToken)
    {
        var client = device.Client;
        var receipt = await store.FindAsync(StoreNames.Receipt(run, round, client), StoreJson.Default.ReceiptDocument, cancellationToken);
        if (receipt is null)
        {
            return await WithoutReceiptAsync(run, round, device, cancellationToken);
        }

        UsageScope.Current?.Attribute(run, round);
        // A bare receipt does not know which update it was; a client that is told of another one drops its residual.
        return await FateAsync(run, round, client, cancellationToken) with { HeaderDigest = receipt.Value.IsBare ? null : receipt.Value.Receipt.HeaderDigest };
    }

    /// <summary>
    /// A selected device whose commit never got an answer asks, too. Once the round is sealed without it, nothing that still comes can be in the model. A seal
    /// that names it outlived its receipt: what became of that is past retention.
    /// </summary>
    private async Task<ReceiptStatus> WithoutReceiptAsync(string run, int round, DeviceCaller device, CancellationToken cancellationToken)
    {
        var file = await files.FindAsync(run, round, cancellationToken);
        if (file?.Plan.Population != device.Population || !await file.IsSelectedAsync(device.Client, cancellationToken))
        {
            return new ReceiptStatus(ReceiptStates.Unknown, null);
        }

        var seal = await _seal.FindAsync(StoreNames.Seal(run, round), seal => seal.Receipts.Count > ClientChunks.Size, cancellationToken);
        return seal?.Value switch
        {
            { Aggregate: false } abandoned => new ReceiptStatus(ReceiptStates.Abandoned, abandoned.Reason),
            { } whole when !whole.Receipts.Contains(device.Client) => new ReceiptStatus(ReceiptStates.Excluded, "No receipt came before the round was sealed.") { Late = true },
            _ => new ReceiptStatus(ReceiptStates.Unknown, null),
        };
    }

    private async Task<ReceiptStatus> FateAsync(string run, int round, string client, CancellationToken cancellationToken)
    {
        var seal = await _seal.FindAsync(StoreNames.Seal(run, round), seal => seal.Receipts.Count > ClientChunks.Size, cancellationToken);
        if (seal is null)
        {
            var isClosing = await store.HeadAsync(StoreNames.Closing(run, round), cancellationToken) is not null;
            return new ReceiptStatus(isClosing ? ReceiptStates.Late : ReceiptStates.Committed, null);
        }

        if (!seal.Value.Aggregate)
        {
            return new ReceiptStatus(ReceiptStates.Abandoned, seal.Value.Reason);
        }

        if (!seal.Value.Receipts.Contains(client))
        {
            return new ReceiptStatus(ReceiptStates.Excluded, "It came after the round was sealed.") { Late = true };
        }

        return await VerdictAsync(run, round, client, cancellationToken);
    }

    private async Task<ReceiptStatus> VerdictAsync(string run, int round, string client, CancellationToken cancellationToken)
    {
        var accepted = await _accepted.FindAsync(
            StoreNames.Accepted(run, round), accepted => accepted.Accepted.Count + accepted.Refused.Count > ClientChunks.Size, cancellationToken);
        if (accepted?.Value.Refused.FirstOrDefault(refusal => refusal.Client == client) is { } refused)
        {
            return new ReceiptStatus(ReceiptStates.Excluded, refused.Reason);
        }

        var outcome = await store.FindAsync(StoreNames.RoundOutcome(run, round), StoreJson.Default.RoundOutcomeDocument, cancellationToken);
        return outcome?.Value switch
        {
            null => new ReceiptStatus(ReceiptStates.Committed, null),
            { Published: false } abandoned => new ReceiptStatus(ReceiptStates.Abandoned, abandoned.Reason),
            _ => new ReceiptStatus(ReceiptStates.Included, null),
        };
    }
}
