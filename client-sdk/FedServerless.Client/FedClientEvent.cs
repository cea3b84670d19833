namespace FedServerless.Client;

/// <summary>
/// Something happened in a client. <see cref="FedClientOptions.OnEvent"/> sees them in order. No event carries a weight or a
/// sample.
/// </summary>
public abstract record FedClientEvent
{
    private protected FedClientEvent()
    {
    }
}

/// <summary>The server answered a check-in.</summary>
/// <param name="Work"><c>train</c>, <c>evaluate</c> or <c>none</c>.</param>
/// <param name="Run">The run of the work; null for none.</param>
/// <param name="Round">The round of the work; null for none.</param>
/// <param name="Pause">Time until the next check-in when there is no work.</param>
public sealed record CheckedIn(string Work, string? Run, int? Round, TimeSpan Pause) : FedClientEvent;

/// <summary>Part of a model arrived.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round.</param>
/// <param name="Bytes">Bytes here so far, those of earlier attempts included.</param>
/// <param name="TotalBytes">The artifact's length.</param>
public sealed record Downloading(string Run, int Round, long Bytes, long TotalBytes) : FedClientEvent;

/// <summary>A model is here and verified.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round.</param>
/// <param name="Bytes">The artifact's length.</param>
/// <param name="FromCache">True when nothing had to be downloaded.</param>
public sealed record Downloaded(string Run, int Round, long Bytes, bool FromCache) : FedClientEvent;

/// <summary>The trainer has finished a round's local training.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round.</param>
/// <param name="Samples">Samples it reported.</param>
/// <param name="Elapsed">Time the trainer took.</param>
public sealed record Fitted(string Run, int Round, long Samples, TimeSpan Elapsed) : FedClientEvent;

/// <summary>Part of an update is at the server.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round.</param>
/// <param name="Bytes">Bytes there so far.</param>
/// <param name="TotalBytes">Header and payload.</param>
public sealed record Uploading(string Run, int Round, long Bytes, long TotalBytes) : FedClientEvent;

/// <summary>The server has the receipt of an update.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round.</param>
/// <param name="State">One of <see cref="Wire.ReceiptStates"/>: <c>committed</c> or <c>late</c>.</param>
/// <param name="Bytes">Header and payload.</param>
public sealed record Committed(string Run, int Round, string State, long Bytes) : FedClientEvent;

/// <summary>The server has this client's evaluation.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round whose version was evaluated.</param>
/// <param name="State">One of <see cref="Wire.ReceiptStates"/>: <c>committed</c> or <c>late</c>.</param>
/// <param name="Samples">Samples evaluated on.</param>
/// <param name="Loss">Mean loss.</param>
public sealed record Evaluated(string Run, int Round, string State, long Samples, double Loss) : FedClientEvent;

/// <summary>What became of an earlier update; only with <see cref="FedClientOptions.ReportOutcomes"/>.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round.</param>
/// <param name="State">One of <see cref="Wire.ReceiptStates"/>.</param>
/// <param name="Reason">Why, when excluded or abandoned.</param>
public sealed record OutcomeKnown(string Run, int Round, string State, string? Reason) : FedClientEvent;

/// <summary>The client leaves a piece of work and goes on with the next.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="Exception">What the trainer threw, where that was the reason.</param>
public sealed record GaveUp(string Run, int Round, string Reason, Exception? Exception = null) : FedClientEvent;

/// <summary>This is no time for work. Nothing is lost: what was begun goes on later, if its round still waits.</summary>
/// <param name="Reason">Why, for people: the network is metered, the battery low, the day's bytes spent and so on.</param>
/// <param name="Pause">Time until it is looked at again.</param>
public sealed record Deferred(string Reason, TimeSpan Pause) : FedClientEvent;

/// <summary>
/// Something on the way answered in the server's place, most likely a network that wants somebody to sign in. Nothing of it is kept; the
/// request is sent again later.
/// </summary>
/// <param name="Host">Whom the request was for.</param>
/// <param name="Evidence">What gave it away.</param>
public sealed record SignInPageFound(string Host, string Evidence) : FedClientEvent;

/// <summary>A request failed for now and will be sent again.</summary>
/// <param name="Operation">What failed: <c>check-in</c>, <c>download</c>, <c>model</c> (a way to it, another is asked for), <c>uploads</c>, <c>upload</c>, <c>commit</c>, <c>evaluation</c> and so on.</param>
/// <param name="Attempt">Attempts so far, from 1.</param>
/// <param name="Pause">Time until the next.</param>
/// <param name="Reason">What went wrong.</param>
public sealed record Retrying(string Operation, int Attempt, TimeSpan Pause, string Reason) : FedClientEvent;

/// <summary>What this device keeps for a model was settled by what became of its last update.</summary>
/// <param name="Model">The model.</param>
/// <param name="Kind">What was kept: <c>residual</c> for error feedback.</param>
/// <param name="Run">The update's run.</param>
/// <param name="Round">The update's round.</param>
/// <param name="State">One of <see cref="Wire.ReceiptStates"/>.</param>
public sealed record StateSettled(string Model, string Kind, string Run, int Round, string State) : FedClientEvent;

/// <summary>What this device kept for a model was dropped; the next round begins without it.</summary>
/// <param name="Model">The model.</param>
/// <param name="Kind">What was kept: <c>residual</c> for error feedback.</param>
/// <param name="Reason">Why, for people.</param>
public sealed record StateReset(string Model, string Kind, string Reason) : FedClientEvent;
