// WorkerService: the settings Federation:Code, Federation:Samples and Federation:State say who it is, what it trains on, and where it keeps its key.
#region worker-program
using FedServerless.Client;
using FedServerless.Client.Training;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

var builder = Host.CreateApplicationBuilder(args);
var samples = builder.Configuration["Federation:Samples"] ?? "samples.csv";
builder.Services.AddSingleton<IFedTrainer>(_ => LocalTrainer.BuiltIn(SampleFiles.ReadCsv(samples, classCount: 10, scale: 1.0 / 16)));
builder.Services.AddHostedService<FederationWorker>();
await builder.Build().RunAsync();
#endregion
