// OwnTrainer model FILE    writes version 0 of the model
// OwnTrainer run CODE      takes part with ten points of y = 2·x + 1
using FedServerless.Client;

try
{
    return await RunAsync(args);
}
catch (Exception problem) when (problem is FedClientException or IOException or UnauthorizedAccessException or OperationCanceledException)
{
    Console.Error.WriteLine(problem.Message);
    return 1;
}

static async Task<int> RunAsync(string[] args)
{
    switch (args)
    {
        case ["model", var path]:
            LineModel.Write(path);
            return 0;
        case ["run", var code]:
            var x = Enumerable.Range(0, 10).Select(i => i / 10f).ToArray();
            using (var stop = new CancellationTokenSource())
            {
                Console.CancelKeyPress += (_, press) => { press.Cancel = true; stop.Cancel(); };
                await LineClient.RunAsync(code, x, [.. x.Select(value => (2 * value) + 1)], stop.Token);
            }

            return 0;
        default:
            Console.Error.WriteLine("OwnTrainer model FILE | OwnTrainer run CODE");
            return 2;
    }
}
