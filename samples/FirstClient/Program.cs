#region first-client
using FedServerless.Client;
using FedServerless.Client.Training;

if (args is not [var code, var file])
{
    Console.Error.WriteLine("FirstClient CODE FILE: an enrolment code; a CSV file of 8×8 images, 64 values from 0 to 16, then the digit");
    return 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) => { press.Cancel = true; stop.Cancel(); };
try
{
    var samples = SampleFiles.ReadCsv(file, classCount: 10, scale: 1.0 / 16);
    var options = new FedClientOptions { StateFolder = "client-state", OnEvent = Console.WriteLine };
    using var client = await FedClient.EnrolAsync(code, options, stop.Token);
    Console.WriteLine($"{client.ClientId} takes part in the rounds of {client.Server}; Ctrl+C ends it.");
    await client.RunAsync(LocalTrainer.BuiltIn(samples), stop.Token);
    return 0;
}
catch (Exception problem) when (problem is FedClientException or IOException or InvalidDataException or UnauthorizedAccessException or OperationCanceledException)
{
    Console.Error.WriteLine(problem.Message);
    return 1;
}
#endregion
