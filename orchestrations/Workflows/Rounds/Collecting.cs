using FedServerless.Workflows.Engine;

namespace FedServerless.Workflows.Rounds;

/// <summary>Waiting for clients: until a count says enough or a deadline passes, in a bounded number of looks.</summary>
public static class Collecting
{
    /// <summary>Most looks that a clock causes, whatever the length of the round.</summary>
    public const int MaxTimedPolls = 100;

    /// <summary>Most looks that wakes cause; later wakes are passed over until the next timed look.</summary>
    public const int MaxWokenPolls = 100;

    /// <summary>Shortest time between two timed looks.</summary>
    public static readonly TimeSpan MinInterval = TimeSpan.FromSeconds(1);

    internal static async Task WaitAsync(
        IWorkflowContext context, CollectionOpened opened, Activity<RoundInput, CollectionCount> count, RoundInput input)
    {
        var interval = (opened.Deadline - opened.OpenedAt) / MaxTimedPolls;
        if (interval < MinInterval)
        {
            interval = MinInterval;
        }

        var woken = 0;
        while (true)
        {
            // Events are hints, blobs are the truth: every turn looks first, so a replayed or recovered round needs no wake.
            var state = await context.CallAsync(count, input);
            if (state.Finished || context.UtcNow >= opened.Deadline)
            {
                return;
            }

            var until = context.UtcNow + interval < opened.Deadline ? context.UtcNow + interval : opened.Deadline;
            if (woken == MaxWokenPolls)
            {
                await context.WaitUntilAsync(until);
            }
            else if (await context.WaitForEventAsync(WakeEvents.Quorum, until))
            {
                woken++;
            }
        }
    }
}
