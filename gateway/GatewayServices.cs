using FedServerless.Activities;
using FedServerless.Activities.Clients;
using FedServerless.Activities.Metering;
using FedServerless.Activities.Models;
using FedServerless.Activities.Privacy;
using FedServerless.Gateway.About;
using FedServerless.Gateway.Audit;
using FedServerless.Gateway.Authentication;
using FedServerless.Gateway.Clients;
using FedServerless.Gateway.Http;
using FedServerless.Gateway.Limits;
using FedServerless.Gateway.Models;
using FedServerless.Gateway.Privacy;
using FedServerless.Gateway.Repeats;
using FedServerless.Gateway.Rounds;
using FedServerless.Gateway.Runs;
using FedServerless.Gateway.Upkeep;
using FedServerless.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace FedServerless.Gateway;

/// <summary>Registers the gateway.</summary>
public static class GatewayServices
{
    /// <summary>
    /// Adds the route table and all behind it. The host adds <see cref="Storage.IObjectStore"/>, <see cref="TimeProvider"/>,
    /// <see cref="IServerSecrets"/> and <see cref="IOperatorAuthenticator"/>, and calls <see cref="RunWatchdog"/>,
    /// <see cref="InstancePurge"/> and <see cref="Sweeper"/> now and then.
    /// </summary>
    /// <param name="services">Where.</param>
    /// <param name="options">Validated here.</param>
    /// <exception cref="ArgumentException">The options are not legal; the message lists everything that is wrong.</exception>
    public static IServiceCollection AddFedGateway(this IServiceCollection services, GatewayOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = options.Problems().ToList();
        if (problems.Count > 0)
        {
            throw new ArgumentException(string.Join(' ', problems), nameof(options));
        }

        services.AddSingleton(options).AddSingleton(options.Upkeep).AddSingleton(options.Limits);
        services.TryAddSingleton<RequestGate>();
        services.TryAddSingleton<AnsweredRequests>();
        services.TryAddSingleton<AuditLog>();
        services.TryAddSingleton<RequestAudit>();
        services.TryAddSingleton<AuditViews>();
        services.TryAddSingleton<NonceIssuer>();
        services.TryAddSingleton<ServerSigner>();
        services.TryAddSingleton<RouteTable>();
        services.TryAddSingleton<RouteRunner>();
        services.TryAddSingleton<DeviceAuthenticator>();
        return services.AddMetering(options).AddClients().AddRounds().AddRunsAndModels().AddUpkeep();
    }

    /// <summary>From here on the host's store is a metered one, for whoever asks for it.</summary>
    private static IServiceCollection AddMetering(this IServiceCollection services, GatewayOptions options)
    {
        services.TryAddSingleton(provider => new UsageMeter(options.Usage, provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<UsageBook>();
        services.TryAddSingleton<RunCosts>();
        services.AddHostedService<UsageFlush>();
        if (services.LastOrDefault(service => service.ServiceType == typeof(IObjectStore)) is { } store)
        {
            services.Replace(store.ImplementationInstance is IObjectStore made
                ? ServiceDescriptor.Singleton<IObjectStore>(provider => new MeteredStore(made, isOwner: false))
                : ServiceDescriptor.Singleton<IObjectStore>(provider => new MeteredStore((IObjectStore)store.ImplementationFactory!(provider), isOwner: true)));
        }

        return services;
    }

    private static IServiceCollection AddClients(this IServiceCollection services)
    {
        services.TryAddSingleton<ClientRegistry>();
        services.TryAddSingleton<Enrolments>();
        services.TryAddSingleton<PresenceBook>();
        services.TryAddSingleton<IPresence>(provider => provider.GetRequiredService<PresenceBook>());
        services.TryAddSingleton<StandingBook>();
        services.TryAddSingleton<ClientDesk>();
        return services;
    }

    private static IServiceCollection AddRounds(this IServiceCollection services)
    {
        services.TryAddSingleton<RoundFiles>();
        services.TryAddSingleton<RoundBoard>();
        services.TryAddSingleton<IRoundBell>(provider => provider.GetRequiredService<RoundBoard>());
        services.TryAddSingleton<CheckIns>();
        services.TryAddSingleton<Uploads>();
        services.TryAddSingleton<Receipts>();
        services.TryAddSingleton<ClientEvaluations>();
        return services;
    }

    private static IServiceCollection AddRunsAndModels(this IServiceCollection services)
    {
        services.TryAddSingleton<ModelCatalog>();
        services.TryAddSingleton<RunViews>();
        services.TryAddSingleton<RunRecovery>();
        services.TryAddSingleton<RunLifecycle>();
        services.TryAddSingleton<RunDeletion>();
        services.TryAddSingleton<RunLogs>();
        services.TryAddSingleton<PrivacyLedger>();
        services.TryAddSingleton<PrivacyGate>();
        services.TryAddSingleton<UnaccountedRuns>();
        services.TryAddSingleton<LedgerAudit>();
        services.TryAddSingleton<PrivacyDesk>();
        services.TryAddSingleton<RoundViews>();
        services.TryAddSingleton<RoundClients>();
        services.TryAddSingleton<Models.Models>();
        services.TryAddSingleton<ModelUploads>();
        services.TryAddSingleton<HostReport>();
        return services;
    }

    private static IServiceCollection AddUpkeep(this IServiceCollection services)
    {
        services.TryAddSingleton<RunWatchdog>();
        services.TryAddSingleton<StandingKeeper>();
        services.TryAddSingleton<InstancePurge>();
        services.TryAddSingleton<EnrolmentSweep>();
        services.TryAddSingleton<OrphanSweep>();
        services.TryAddSingleton<AgeSweep>();
        services.TryAddSingleton<ReservationSweep>();
        services.TryAddSingleton<Sweeper>();
        return services;
    }
}
