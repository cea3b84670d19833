namespace FedServerless.Client.Http;

/// <summary>The kinds of refusal that the client answers by doing something.</summary>
internal static class ProblemTypes
{
    /// <summary>The request's time is off; the answer has the server's.</summary>
    public const string Clock = "/problems/clock";

    /// <summary>The nonce is not fresh; the answer has one that is.</summary>
    public const string Nonce = "/problems/nonce";

    /// <summary>The server no longer knows this device: only enrolling again helps.</summary>
    public const string Revoked = "/problems/revoked";

    /// <summary>A committed update is not all there: the store lost something after it had acknowledged it.</summary>
    public const string IncompleteUpload = "/problems/incomplete-upload";

    /// <summary>Too early, most likely: the round is not open yet.</summary>
    public const string WrongState = "/problems/wrong-state";
}
