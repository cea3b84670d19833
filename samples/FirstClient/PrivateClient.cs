using FedServerless.Client;
using FedServerless.Client.Training;
using FedServerless.Privacy;

/// <summary>The same client for a site that does not trust the server.</summary>
internal static class PrivateClient
{
    public static async Task RunAsync(FedClient client, LabelledSamples samples, CancellationToken stop)
    {
        #region local-privacy
        var trainer = DpSgdTrainer.BuiltIn(samples, new DpSgdOptions
        {
            LedgerFile = "client-state/privacy-ledger",
            Samples = 500,                     // about how many there are: declared, not counted
            SamplingRate = 0.1,
            ClipNorm = 1,
            NoiseMultiplier = 2,
            Budget = new PrivacySpend(Epsilon: 4, Delta: 1e-4),
        });
        await client.RunAsync(trainer, stop);
        DpSgdReport report = trainer.Report();
        Console.WriteLine($"ε = {report.Spent.Epsilon:0.00} of {report.Budget.Epsilon} at δ = {report.Spent.Delta} over {report.Rounds} rounds; {report.StepsLeft} steps are left");
        #endregion
    }
}
