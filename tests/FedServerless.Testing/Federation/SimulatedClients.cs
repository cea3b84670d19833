using System.Collections.Immutable;
using System.Security.Cryptography;
using FedServerless.Activities;
using FedServerless.Activities.State;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Testing.Federation;

/// <summary>
/// Clients without a network: they put updates and receipts where the gateway would. Their deltas follow from client and round
/// alone, so that a run's result can be worked out by hand.
/// </summary>
public sealed class SimulatedClients(IObjectStore disk, int count) : IPresence
{
    /// <summary>Ids in ordinal order: <c>client-000</c>, …</summary>
    public IReadOnlyList<string> Ids { get; } = [.. Enumerable.Range(0, count).Select(index => $"client-{index:D3}").Order(StringComparer.Ordinal)];

    /// <summary>Clients that never answer.</summary>
    public HashSet<string> Silent { get; } = new(StringComparer.Ordinal);

    /// <summary>Who was seen lately: by default everybody.</summary>
    public IReadOnlyList<string>? Present { get; set; }

    /// <summary>What a client does to its update before it is sent; null sends it as it is.</summary>
    public Func<RoundPlan, string, SimulatedUpdate, SimulatedUpdate?>? Tamper { get; set; }

    /// <summary>Deltas of a client: by default uniform in ±0.01.</summary>
    public Func<RoundPlan, string, long, float[]> Deltas { get; set; } = DefaultDeltas;

    /// <summary>Buffers of a client: by default those it got.</summary>
    public Func<string, float[], float[]> Buffers { get; set; } = static (_, buffers) => buffers;

    /// <summary>Samples a client claims: by default 10, 11, 12, …</summary>
    public Func<string, long> Samples { get; set; } = client => 10 + int.Parse(client[^3..]);

    public Task<IReadOnlyList<string>> SeenLatelyAsync(string population, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<string>>([.. Present ?? Ids]);

    /// <summary>Bytes a second to the store that clients have measured.</summary>
    public Dictionary<string, double> Uplinks { get; } = new(StringComparer.Ordinal);

    /// <summary>The part size that a client chooses; null for the plan's.</summary>
    public Func<string, int?> PartBytes { get; set; } = _ => null;

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<string, double>> UplinksAsync(string population, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyDictionary<string, double>>(Uplinks);

    /// <summary>Every selected client that is not silent uploads and commits, unless it did.</summary>
    public async Task AnswerAsync(string run, int round, CancellationToken cancellationToken)
    {
        var plan = (await disk.GetAsync(StoreNames.Plan(run, round), StoreJson.Default.RoundPlan, cancellationToken)).Value;
        if (await disk.HeadAsync(StoreNames.Closing(run, round), cancellationToken) is not null)
        {
            return;
        }

        var start = await ReadModelAsync(plan.Base.Object, cancellationToken);
        var shape = UpdateShape.Create(start.Layout, plan.Update);
        for (var shard = 0; shard < plan.Cohort.Shards; shard++)
        {
            var name = StoreNames.CohortShard(run, round, plan.Cohort.Digest, shard);
            var cohort = await disk.FindAsync(name, StoreJson.Default.CohortShardDocument, cancellationToken);
            foreach (var client in (cohort?.Value.Clients ?? []).Where(client => !Silent.Contains(client)))
            {
                await SendAsync(plan, shape, start, client, cancellationToken);
            }
        }
    }

    /// <summary>Reads a whole model from the store.</summary>
    public async Task<ModelState> ReadModelAsync(string name, CancellationToken cancellationToken)
    {
        var found = await disk.FindBytesAsync(name, cancellationToken);
        return ModelStateFile.Read(found!.Value.Content);
    }

    private static float[] DefaultDeltas(RoundPlan plan, string client, long parameters)
    {
        var random = DeterministicRandom.Derive(plan.Seed, "simulated", client);
        var deltas = new float[parameters];
        for (var i = 0; i < deltas.Length; i++)
        {
            deltas[i] = (float)((random.NextDouble() - 0.5) * 0.02);
        }

        return deltas;
    }

    private async Task SendAsync(RoundPlan plan, UpdateShape shape, ModelState start, string client, CancellationToken cancellationToken)
    {
        var payload = new MemoryStream();
        var integers = start.Integers.Select(value => value + Samples(client)).ToArray();
        var header = UpdateEncoder.EncodeDeltas(
            shape, plan.Base.Digest, Deltas(plan, client, shape.Layout.ParameterCount), Buffers(client, start.Buffers.ToArray()), integers, payload);
        var parts = UpdateParts.Cut(header, PartBytes(client) ?? plan.Update.PartBytes)
            .Select(part => payload.ToArray()[(int)part.Offset..(int)(part.Offset + part.Length)])
            .ToList();
        var receipt = new Receipt(
            client, plan.Run, plan.Round, plan.Base.Digest, header.Digest, header.Bytes.Length + payload.Length, Samples(client),
            ImmutableSortedDictionary<string, double>.Empty.Add("loss", 1.0)) { PartBytes = PartBytes(client) };
        var update = new SimulatedUpdate(receipt, header.Bytes.ToArray(), parts);
        var sent = Tamper is null ? update : Tamper(plan, client, update);
        if (sent is not null)
        {
            await PutAsync(plan, client, sent, cancellationToken);
        }
    }

    private async Task PutAsync(RoundPlan plan, string client, SimulatedUpdate update, CancellationToken cancellationToken)
    {
        var digest = update.Receipt.HeaderDigest;
        var header = StoreNames.UpdateHeader(plan.Run, plan.Round, client, digest);
        await disk.PutBytesAsync(header, update.Header, PutCondition.CreateOnce, cancellationToken);
        for (var part = 0; part < update.Parts.Count; part++)
        {
            var name = StoreNames.UpdatePart(plan.Run, plan.Round, client, digest, part);
            await disk.PutBytesAsync(name, update.Parts[part], PutCondition.CreateOnce, cancellationToken);
        }

        await disk.PutAsync(
            StoreNames.Receipt(plan.Run, plan.Round, client),
            new ReceiptDocument(update.Receipt, "", "", Convert.ToHexStringLower(SHA256.HashData("key"u8))),
            StoreJson.Default.ReceiptDocument,
            PutCondition.CreateOnce,
            cancellationToken);
    }
}

/// <summary>What a simulated client sends.</summary>
/// <param name="Receipt">Its claim.</param>
/// <param name="Header">The header's bytes.</param>
/// <param name="Parts">The payload's parts.</param>
public sealed record SimulatedUpdate(Receipt Receipt, byte[] Header, IReadOnlyList<byte[]> Parts)
{
    /// <summary>The same update under another header, the receipt signing it.</summary>
    public SimulatedUpdate WithHeader(byte[] header) => this with { Header = header, Receipt = Receipt with { HeaderDigest = Digest.Of(header) } };
}
