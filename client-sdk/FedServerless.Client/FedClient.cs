using FedServerless.Client.Adaptivity;
using FedServerless.Client.Http;
using FedServerless.Client.Rounds;
using FedServerless.Client.State;
using FedServerless.Client.Telemetry;
using FedServerless.Wire;

namespace FedServerless.Client;

/// <summary>
/// An enrolled device: it checks in, takes part in the rounds it is selected for, and survives lost networks and restarts. One
/// instance per state folder; <see cref="RunAsync"/> is all that most applications call.
/// </summary>
public sealed class FedClient : IDisposable
{
    /// <summary>Name of the meter and of the activity source.</summary>
    public const string TelemetryName = "FedServerless.Client";

    private readonly StateFolder _state;
    private readonly RequestSigner _signer;
    private readonly HttpClient _http;
    private readonly ClientEvents _events;
    private readonly RetryPolicy _retries;
    private readonly DeviceConnection _connection;
    private readonly ReceiptQuery _receipts;
    private readonly CheckInLoop _loop;
    private int _running;

    private FedClient(StateFolder state, Identity identity, FedClientOptions options)
    {
        var server = new Uri(identity.Server);
        var urls = new ServerUrls(server);
        Server = server;
        ClientId = identity.Client;
        Population = identity.Population ?? "";
        _state = state;
        _events = new ClientEvents(options.OnEvent);
        _retries = new RetryPolicy(options, _events);
        _signer = new RequestSigner(identity.PrivateKey);
        var meter = new DeviceMeter(state);
        var budget = new DayBudget(state, options);
        var willing = new Willingness(budget, options);
        _events.OnMoved = bytes =>
        {
            budget.Spend(bytes);
            meter.Moved(bytes);
        };
        _http = DeviceHttp.Create(options, _events, inner => new TransferHandler(inner, urls, meter, willing, options.TimeProvider));
        _connection = new DeviceConnection(_http, urls, _signer, identity.Client, options, _retries);
        var models = new ModelCache(state, _http, urls, options, _retries, _events);
        var uploads = new UpdateUpload(_connection, _http, urls, options, _retries, _events);
        _receipts = new ReceiptQuery(_connection, options);
        var settling = new Settling(state, _receipts, options, _events);
        _loop = new CheckInLoop(
            state,
            options,
            _connection,
            _receipts,
            models,
            new TrainRound(identity.Client, state, models, uploads, settling, _connection, _events, meter, willing),
            new EvaluateRound(identity.Client, state, models, _connection),
            _retries,
            _events,
            new Pace(meter, budget, willing, options));
    }

    /// <summary>The server's base address.</summary>
    public Uri Server { get; }

    /// <summary>This device's client id.</summary>
    public string ClientId { get; }

    /// <summary>The population it belongs to.</summary>
    public string Population { get; }

    /// <summary>Bytes of models received by this instance, repeated ones included. The API's own small messages are not counted.</summary>
    public long BytesDown => _events.BytesDown;

    /// <summary>Bytes of updates sent by this instance, repeated ones included. The API's own small messages are not counted.</summary>
    public long BytesUp => _events.BytesUp;

    /// <summary>Enrols with default options; see <see cref="EnrolAsync(string, FedClientOptions, CancellationToken)"/>.</summary>
    /// <param name="code">The one-time code.</param>
    /// <param name="stateFolder">Folder of the client's key, models and unfinished updates.</param>
    /// <param name="cancellationToken">Cancels; call again with the same code to finish.</param>
    public static Task<FedClient> EnrolAsync(string code, string stateFolder, CancellationToken cancellationToken = default) =>
        EnrolAsync(code, new FedClientOptions { StateFolder = stateFolder }, cancellationToken);

    /// <summary>
    /// Turns a one-time code into an enrolled client. Safe to call at every start with the same code: once it has succeeded it
    /// opens the state folder and sends nothing. A new code for the same client replaces the key.
    /// </summary>
    /// <param name="code">The one-time code.</param>
    /// <param name="options">How the client is set up.</param>
    /// <param name="cancellationToken">Cancels; call again with the same code to finish.</param>
    /// <exception cref="ArgumentException">The options are wrong; the message lists every problem.</exception>
    /// <exception cref="FedClientException">The code is none, the server refused or cannot be reached, or the state folder cannot be used.</exception>
    public static async Task<FedClient> EnrolAsync(string code, FedClientOptions options, CancellationToken cancellationToken = default)
    {
        Check(options);
        if (!EnrolmentCode.TryParse(code?.Trim(), out var parsed) || parsed is null)
        {
            throw new FedClientException("This is not an enrolment code, or not all of one. A code begins with 'fed1.' and is made with: fed enrol NAME");
        }

        var state = StateFolder.Open(options.StateFolder);
        try
        {
            var identity = await Enrolment.CompleteAsync(state, parsed, options, cancellationToken).ConfigureAwait(false);
            return new FedClient(state, identity, options);
        }
        catch
        {
            state.Dispose();
            throw;
        }
    }

    /// <summary>Opens a client that has enrolled before; sends nothing.</summary>
    /// <param name="options">How the client is set up.</param>
    /// <exception cref="ArgumentException">The options are wrong; the message lists every problem.</exception>
    /// <exception cref="FedClientException">Nothing has enrolled from this state folder, or it cannot be used.</exception>
    public static FedClient Open(FedClientOptions options)
    {
        Check(options);
        var state = StateFolder.Open(options.StateFolder);
        try
        {
            var identity = new IdentityFile(state).Enrolled ?? throw new FedClientException(
                $"No client has enrolled from '{state.Path}'. Make a code with: fed enrol, and call EnrolAsync with it.");
            return new FedClient(state, identity, options);
        }
        catch
        {
            state.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Takes part until cancelled; returns then. What may pass (a server out of reach, a failing trainer, a full disk) is
    /// reported as an event and tried again; only what cannot pass is thrown.
    /// </summary>
    /// <param name="trainer">The application's training.</param>
    /// <param name="cancellationToken">Ends the loop; unfinished work stays on disk for the next start.</param>
    /// <exception cref="FedClientException">The server no longer accepts this device, or needs a newer SDK.</exception>
    /// <exception cref="InvalidOperationException">The client is already running.</exception>
    public async Task RunAsync(IFedTrainer trainer, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        using var running = EnterOnce();
        try
        {
            await _loop.RunAsync(trainer, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Being told to stop is how this method ends.
        }
    }

    /// <summary>Checks in once and does the work that brings. Does not wait afterwards: <see cref="FedStep.Pause"/> says how long to.</summary>
    /// <param name="trainer">The application's training.</param>
    /// <param name="cancellationToken">Cancels; unfinished work stays on disk for the next step.</param>
    /// <exception cref="FedClientException">The server refused or cannot be reached; <see cref="FedClientException.IsTransient"/> tells which.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="InvalidOperationException">The client is already running.</exception>
    public async Task<FedStep> RunOnceAsync(IFedTrainer trainer, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        using var running = EnterOnce();
        return await _loop.StepAsync(trainer, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Asks what became of this client's update of a round.</summary>
    /// <param name="run">The run.</param>
    /// <param name="round">The round, from 1.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="FedClientException">The server refused or cannot be reached.</exception>
    public async Task<ReceiptStatus> GetReceiptStatusAsync(string run, int round, CancellationToken cancellationToken = default)
    {
        if (!Identifiers.IsValid(run))
        {
            throw new ArgumentException($"'{run}' is not a run's name; expected {Identifiers.Rule}.", nameof(run));
        }

        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(round);
        return await _receipts.AskAsync(run, round, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Lets go of the state folder. End <see cref="RunAsync"/> first, by its token.</summary>
    public void Dispose()
    {
        _http.Dispose();
        _signer.Dispose();
        _state.Dispose();
    }

    private static void Check(FedClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = options.Validate();
        if (problems.Count > 0)
        {
            throw new ArgumentException(string.Join(' ', problems), nameof(options));
        }
    }

    private Running EnterOnce() => Interlocked.Exchange(ref _running, 1) == 0
        ? new Running(this)
        : throw new InvalidOperationException("This client is already running.");

    private readonly struct Running(FedClient client) : IDisposable
    {
        public void Dispose() => Volatile.Write(ref client._running, 0);
    }
}
