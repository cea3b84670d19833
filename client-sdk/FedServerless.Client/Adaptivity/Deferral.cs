namespace FedServerless.Client.Adaptivity;

/// <summary>This is no time for work.</summary>
/// <param name="Reason">Why, for people.</param>
/// <param name="Pause">When to look again.</param>
internal sealed record Deferral(string Reason, TimeSpan Pause);

/// <summary>Work in progress is put off; everything done so far stays. Caught by the loop, never seen outside.</summary>
internal sealed class DeferredException(Deferral deferral) : Exception(deferral.Reason)
{
    public Deferral Deferral { get; } = deferral;
}
