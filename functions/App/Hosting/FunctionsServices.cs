using FedServerless.Activities;
using FedServerless.Functions.Engine;
using FedServerless.Gateway.Http;
using FedServerless.Gateway.Upkeep;
using FedServerless.Wire;
using FedServerless.Workflows;
using FedServerless.Workflows.Engine;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FedServerless.Functions.Hosting;

/// <summary>Registers what is the app's own: the engine on Durable and what its triggers call.</summary>
public static class FunctionsServices
{
    /// <summary>Longest that requests and activities get when the host stops the worker. Azure gives a worker more.</summary>
    public static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(30);

    /// <summary>Adds them. The platform brings store, gateway and activities.</summary>
    public static IServiceCollection AddFedFunctions(this IServiceCollection services)
    {
        services.AddSingleton(new DurableEngineOptions());
        services.AddSingleton(provider =>
        {
            var registry = new RegistryBuilder(WorkflowJson.Default);
            WorkflowBindings.BindAll(registry, provider.GetRequiredService<ActivitySet>());
            return new DurableEngine(
                registry.Build(), provider.GetRequiredService<DurableEngineOptions>(), provider.GetRequiredService<ILogger<DurableEngine>>());
        });
        services.AddSingleton(provider => new EngineInvoker(provider.GetRequiredService<DurableEngine>()));
        services.AddSingleton(provider => new RouteInvoker(
            provider.GetRequiredService<RouteTable>(), provider.GetRequiredService<RouteRunner>(), provider.GetRequiredService<DurableEngine>()));
        services.AddSingleton(provider => new UpkeepInvoker(
            provider.GetRequiredService<RunWatchdog>(), provider.GetRequiredService<StandingKeeper>(), provider.GetRequiredService<InstancePurge>(),
            provider.GetRequiredService<Sweeper>(), provider.GetRequiredService<DurableEngine>()));

        // The worker's own Kestrel takes 30 MB of a body if it is not told otherwise.
        services.Configure<KestrelServerOptions>(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = DeviceApi.MaxBodyBytes;
        });
        services.Configure<HostOptions>(host => host.ShutdownTimeout = StopWithin);
        return services;
    }
}
