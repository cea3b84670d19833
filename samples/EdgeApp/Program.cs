#region edge-app
using FedServerless.Client;
using FedServerless.Client.Training;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) => { press.Cancel = true; stop.Cancel(); };
var samples = SampleFiles.ReadCsv(args[1], classCount: 10, scale: 1.0 / 16);
var options = new FedClientOptions { StateFolder = "edge-state", OnEvent = Console.WriteLine };
using var client = await FedClient.EnrolAsync(args[0], options, stop.Token);
await client.RunAsync(LocalTrainer.BuiltIn(samples), stop.Token);
#endregion
