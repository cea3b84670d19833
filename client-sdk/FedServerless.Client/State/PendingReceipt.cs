using FedServerless.Wire;

namespace FedServerless.Client.State;

/// <summary>The update whose fate decides which of a model's vectors holds.</summary>
/// <param name="Run">Its run.</param>
/// <param name="Round">Its round.</param>
/// <param name="HeaderDigest">SHA-256 of its header: two updates of one round differ in it.</param>
internal sealed record PendingReceipt(string Run, int Round, Digest HeaderDigest);
