#region first-client
using FedServerless.Client;
using FedServerless.Client.Training;

// args: an enrolment code, a CSV file of 8×8 images: 64 values from 0 to 16, then the digit
var samples = SampleFiles.ReadCsv(args[1], classCount: 10, scale: 1.0 / 16);

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) => { press.Cancel = true; stop.Cancel(); };

using var client = await FedClient.EnrolAsync(args[0], stateFolder: "client-state", stop.Token);
Console.WriteLine($"{client.ClientId} takes part in the rounds of {client.Server}; Ctrl+C ends it.");
await client.RunAsync(LocalTrainer.Dense(samples), stop.Token);
#endregion
