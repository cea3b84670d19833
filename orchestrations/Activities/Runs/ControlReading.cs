using FedServerless.Activities.State;
using FedServerless.Storage;

namespace FedServerless.Activities.Runs;

internal static class ControlReading
{
    /// <summary>Why the operator wants the run to end, or null.</summary>
    public static async Task<string?> StopReasonAsync(this IObjectStore store, string run, CancellationToken cancellationToken)
    {
        var control = await store.FindAsync(StoreNames.RunControl(run), StoreJson.Default.ControlDocument, cancellationToken);
        return control?.Value is { Desired: ControlStates.Stop } stop ? stop.Reason ?? "stopped by the operator" : null;
    }
}
