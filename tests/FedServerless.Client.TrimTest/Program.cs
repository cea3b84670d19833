using FedServerless.Client;
using FedServerless.Client.Training;
using FedServerless.Client.TrimTest;

// One whole round and one evaluation in a trimmed program: whatever the trimmer took away by mistake shows here.
var folder = Directory.CreateTempSubdirectory("fed-trim-").FullName;
try
{
    using var server = new OneRoundServer();
    var options = new FedClientOptions { StateFolder = folder, HttpHandler = server, OnEvent = Console.WriteLine };
    var samples = new LabelledSamples([0, 1, 1, 0], [0, 1], featureCount: 2, classCount: 2);
    using var client = await FedClient.EnrolAsync(server.Code, options);
    var trained = await client.RunOnceAsync(LocalTrainer.BuiltIn(samples));
    var evaluated = await client.RunOnceAsync(LocalTrainer.BuiltIn(samples));
    var status = await client.GetReceiptStatusAsync("run", 1);
    var whole = trained.Outcome == FedStepOutcome.Committed && evaluated.Outcome == FedStepOutcome.Committed && status.State == "included"
        && server.Receipts == 1 && server.Evaluations == 1 && server.Parts == 2;
    Console.WriteLine(whole ? "ok" : $"failed: {trained} {evaluated} {status}");
    return whole ? 0 : 1;
}
finally
{
    Directory.Delete(folder, recursive: true);
}
