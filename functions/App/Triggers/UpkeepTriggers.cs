using FedServerless.Functions.Hosting;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FedServerless.Functions.Triggers;

/// <summary>What the deployment does for itself. A timer that fails is shown as a failed invocation, and the next one tries again.</summary>
public sealed class UpkeepTriggers(UpkeepInvoker upkeep)
{
    /// <summary>Every five minutes: runs whose workflow failed, was lost or stands still are recovered.</summary>
    [Function("watchRuns")]
    public Task WatchRuns(
        [TimerTrigger("0 */5 * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, FunctionContext context) =>
        upkeep.WatchAsync(client, context);

    /// <summary>Every hour: instances of ended runs and closed rounds are purged; uploads that nobody will read and dead codes are removed.</summary>
    [Function("sweep")]
    public Task Sweep(
        [TimerTrigger("0 17 * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, FunctionContext context) =>
        upkeep.SweepAsync(client, context);
}
