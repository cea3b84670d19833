using FedServerless.Capacity;
using FedServerless.Workflows.Engine;

namespace FedServerless.Activities.Metering;

/// <summary>An activity whose work is counted for the round it belongs to, and written now and then.</summary>
internal sealed class MeteredActivity<TInput, TOutput>(
    IActivity<TInput, TOutput> inner, UsageBook book, Func<TInput, (string Run, int Round)> roundOf) : IActivity<TInput, TOutput>
{
    public async Task<TOutput> RunAsync(TInput input, CancellationToken cancellationToken)
    {
        var (run, round) = roundOf(input);
        TOutput output;
        using (book.Meter.Enter(run, round, ResourceUsage.ActionsPerActivity))
        {
            output = await inner.RunAsync(input, cancellationToken);
        }

        try
        {
            await book.FlushDueAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // What was done is done: an estimate that is not written yet is no reason to do it again. It is tried again later.
        }

        return output;
    }
}
