using FedServerless.Functions.Hosting;
using FedServerless.Functions.Platform;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Hosting;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
var settings = builder.Services.AddFedPlatform(builder.Configuration, builder.Environment);
builder.Services.AddFedFunctions();
builder.Services.AddFedTelemetry(builder.Configuration, settings);
await builder.Build().RunAsync();
