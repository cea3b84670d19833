using FedServerless.Client;

/// <summary>Clients of the line's model.</summary>
public static class LineClient
{
    /// <summary>A client that tells what it does.</summary>
    public static async Task RunAsync(string code, float[] x, float[] y, CancellationToken stop)
    {
        #region options
        var options = new FedClientOptions
        {
            StateFolder = "line-state",
            CheckInWait = TimeSpan.FromSeconds(30),
            ReportOutcomes = true,
            OnEvent = happened => Console.WriteLine(happened),
        };
        using var client = await FedClient.EnrolAsync(code, options, stop);
        await client.RunAsync(new LineTrainer(x, y), stop);
        Console.WriteLine($"{client.BytesDown} bytes of models down, {client.BytesUp} bytes of updates up");
        #endregion
    }

    /// <summary>A client whose trainer is a lambda.</summary>
    public static async Task RunShortAsync(string code, float[] values, CancellationToken stop)
    {
        #region delegates
        var trainer = FedTrainer.Create(fit: context =>
        {
            // A federated mean: every client answers with its own, the server weighs them by samples.
            context.Model.Parameters[0] = values.Average();
            return new FitResult(values.Length);
        });
        using var client = await FedClient.EnrolAsync(code, "client-state", stop);
        await client.RunAsync(trainer, stop);
        #endregion
    }

    /// <summary>One step at a time, for an application with a schedule of its own.</summary>
    public static async Task<bool> StepAsync(FedClient client, IFedTrainer trainer, CancellationToken stop)
    {
        #region one-step
        FedStep step = await client.RunOnceAsync(trainer, stop);
        Console.WriteLine($"{step.Outcome} {step.Run} {step.Round} {step.Reason}; again in {step.Pause}");
        #endregion
        return step.Outcome == FedStepOutcome.Committed;
    }
}
