// TorchDigits model FILE            writes version 0 of the model
// TorchDigits run CODE SAMPLES      takes part with a CSV file of digits
using FedServerless.Client;
using FedServerless.Client.TorchSharp;
using FedServerless.Client.Training;
using static TorchSharp.torch;

try
{
    return await RunAsync(args);
}
catch (Exception problem) when (problem is FedClientException or IOException or InvalidDataException or UnauthorizedAccessException or OperationCanceledException)
{
    Console.Error.WriteLine(problem.Message);
    return 1;
}

static async Task<int> RunAsync(string[] args)
{
    switch (args)
    {
        case ["model", var path]:
            #region torch-version-0
            random.manual_seed(1);
            TorchModelFile.Write(new DigitNet(), path, DigitNet.Names);
            #endregion
            return 0;
        case ["run", var code, var file]:
            using (var net = new DigitNet())
            using (var stop = new CancellationTokenSource())
            {
                Console.CancelKeyPress += (_, press) => { press.Cancel = true; stop.Cancel(); };
                var trainer = DigitTrainers.BuiltIn(net, SampleFiles.ReadCsv(file, classCount: 10, scale: 1.0 / 16));
                var options = new FedClientOptions { StateFolder = "torch-state", OnEvent = Console.WriteLine };
                using var client = await FedClient.EnrolAsync(code, options, stop.Token);
                await client.RunAsync(trainer, stop.Token);
            }

            return 0;
        default:
            Console.Error.WriteLine("TorchDigits model FILE | TorchDigits run CODE SAMPLES");
            return 2;
    }
}
