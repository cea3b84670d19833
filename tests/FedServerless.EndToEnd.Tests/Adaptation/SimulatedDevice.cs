using System.Collections.Concurrent;
using FedServerless.Client;
using FedServerless.Numerics;
using FedServerless.Testing.Federation.Hosted;

namespace FedServerless.EndToEnd.Tests.Adaptation;

/// <summary>
/// A device with a line and a processor of given speeds. Time for transfers and training passes on its own monotonic clock alone, so that what
/// the SDK measures is exact, the same every time, and costs the test nothing.
/// </summary>
internal sealed class SimulatedDevice : TimeProvider
{
    private static readonly ImpatientTime Impatient = new();

    private readonly ConcurrentQueue<(string Run, int Epochs, int BatchSize)> _trained = new();
    private long _ticks;

    public required string Id { get; init; }

    /// <summary>Bytes a second to the store.</summary>
    public double Up { get; init; } = 1e6;

    /// <summary>Bytes a second from the store.</summary>
    public double Down { get; init; } = 4e6;

    /// <summary>Time that every request takes.</summary>
    public TimeSpan Latency { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Seconds to train on one of its hundred samples once.</summary>
    public double SecondsPerSample { get; init; } = 0.001;

    /// <summary>What the host application says is free.</summary>
    public long MemoryBytes { get; init; } = 1 << 30;

    /// <summary>Samples it trains on.</summary>
    public const int Samples = 100;

    /// <summary>What it was told, each time it trained.</summary>
    public IEnumerable<(int Epochs, int BatchSize)> TrainedIn(string run) => _trained.Where(fit => fit.Run == run).Select(fit => (fit.Epochs, fit.BatchSize));

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref _ticks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        Impatient.CreateTimer(callback, state, dueTime, period);

    /// <summary>Options for this device in a federation.</summary>
    public FedClientOptions Equip(FedClientOptions options) => options with
    {
        TimeProvider = this,
        HttpHandler = new Line(this, options.HttpHandler!),
        CheckInWait = TimeSpan.FromSeconds(1),
        Conditions = () => new DeviceConditions { MemoryBytes = MemoryBytes },
    };

    /// <summary>Takes as long as the device takes, and moves each parameter by chance, further with more epochs: bytes tell which were chosen.</summary>
    public IFedTrainer Trainer() => FedTrainer.Create((context, cancellationToken) =>
    {
        var (epochs, batch) = (context.Training.Epochs, context.Training.BatchSize);
        _trained.Enqueue((context.Run, epochs, batch));
        Spend(TimeSpan.FromSeconds(Samples * epochs * SecondsPerSample));
        var random = DeterministicRandom.Derive(context.Seed, "simulated-device");
        foreach (ref var value in context.Model.Parameters)
        {
            value += (float)((random.NextDouble() - 0.5) * 0.001 * (epochs + (1.0 / batch)));
        }

        return ValueTask.FromResult(new FitResult(Samples));
    });

    private void Spend(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);

    private void Carry(long bytes, double bytesPerSecond) => Spend(TimeSpan.FromSeconds(bytes / bytesPerSecond));

    /// <summary>Small messages cost a latency; models and updates also their bytes.</summary>
    private sealed class Line(SimulatedDevice device, HttpMessageHandler network) : HttpMessageHandler
    {
        private const int Small = 16 * 1024;

        private readonly HttpMessageInvoker _network = new(network, disposeHandler: false);

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            device.Spend(device.Latency);
            if (request.Content?.Headers.ContentLength is >= Small and var length)
            {
                device.Carry(length, device.Up);
            }

            var response = await _network.SendAsync(request, cancellationToken);
            if (response.Content.Headers.ContentLength is >= Small)
            {
                // Whole, as the device's clock stands still meanwhile; then it comes in at the line's speed.
                var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
                var content = new StreamContent(new Incoming(device, body));
                foreach (var header in response.Content.Headers)
                {
                    content.Headers.TryAddWithoutValidation(header.Key, header.Value);
                }

                response.Content = content;
            }

            return response;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _network.Dispose();
            }

            base.Dispose(disposing);
        }
    }

    private sealed class Incoming(SimulatedDevice device, byte[] body) : MemoryStream(body, writable: false)
    {
        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = base.Read(buffer, offset, count);
            device.Carry(read, device.Down);
            return read;
        }

        // The base reads into spans by the method above, so that each byte counts once.
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));
    }
}
