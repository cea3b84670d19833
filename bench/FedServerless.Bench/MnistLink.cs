using System.Text.Json;
using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Bench;

/// <summary>
/// What lies between clients and server in the compression experiment: the real encoder and decoder, error feedback on each client, and a count of every byte of
/// headers, payloads and receipts. Clients may send at once; one client's calls come one after the other.
/// </summary>
internal sealed class MnistLink(TensorLayout layout, MnistSeries series, int clients, long seed)
{
    private readonly float[]?[] _residuals = new float[clients][];
    private readonly float[]?[] _momenta = new float[clients][];
    private long _bytesUp;
    private long _bytesDown;

    public long BytesUp => Interlocked.Read(ref _bytesUp);

    public long BytesDown => Interlocked.Read(ref _bytesDown);

    /// <summary>The model as clients get it; counts it once for each of them.</summary>
    public void Receive(ReadOnlySpan<float> model, Span<float> received, int cohort, int round)
    {
        if (series.Down == UpdateCodecs.Float32)
        {
            model.CopyTo(received);
            Interlocked.Add(ref _bytesDown, (long)cohort * sizeof(float) * model.Length);
            return;
        }

        // A model goes down the way an update goes up: blocks of the same codec.
        var shape = UpdateShape.Create(layout, new UpdateSpec { Codec = series.Down });
        using var payload = new MemoryStream();
        var header = UpdateEncoder.EncodeDeltas(shape, default, model, [], [], payload, received, DeterministicRandom.DeriveSeed(seed, "mnist-down", round));
        Interlocked.Add(ref _bytesDown, cohort * (header.Bytes.Length + payload.Length));
    }

    /// <summary>Sends a client's delta; afterwards it is what the server decodes.</summary>
    public void Send(int client, int round, Span<float> delta)
    {
        var residual = series.Update.ErrorFeedback ? _residuals[client] ??= new float[delta.Length] : null;
        var momentum = series.ClientMomentum > 0 ? _momenta[client] ??= new float[delta.Length] : null;
        for (var i = 0; i < delta.Length; i++)
        {
            if (momentum is not null)
            {
                delta[i] = momentum[i] = (float)((series.ClientMomentum * momentum[i]) + delta[i]);
            }

            delta[i] += residual?[i] ?? 0;
        }

        var update = series.InRound(round, DeterministicRandom.DeriveSeed(seed, "mnist-mask", round));
        var decoded = new float[delta.Length];
        using var payload = new MemoryStream();
        var header = UpdateEncoder.EncodeDeltas(
            UpdateShape.Create(layout, update), default, delta, [], [], payload, decoded, DeterministicRandom.DeriveSeed(seed, "mnist-rounding", round, client));
        Interlocked.Add(ref _bytesUp, header.Bytes.Length + payload.Length + ReceiptBytes(client, round, header, payload.Length));
        for (var i = 0; i < delta.Length; i++)
        {
            if (residual is not null)
            {
                residual[i] = delta[i] - decoded[i];
            }

            if (momentum is not null && decoded[i] != 0)
            {
                momentum[i] = 0;
            }
        }

        decoded.CopyTo(delta);
    }

    private static int ReceiptBytes(int client, int round, UpdateHeader header, long payload)
    {
        var metrics = new Dictionary<string, double> { ["loss"] = 0.123456789 };
        var receipt = new Receipt($"client-{client:D3}", "mnist", round, header.Digest, header.Digest, header.Bytes.Length + payload, 600, metrics);
        return JsonSerializer.SerializeToUtf8Bytes(receipt, WireJson.Default.Receipt).Length;
    }
}
