using FedServerless.Local.Engine.Journal;
using FedServerless.Workflows.Engine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FedServerless.Local.Engine;

/// <summary>Puts the embedded engine into a host.</summary>
public static class EmbeddedEngineServiceCollectionExtensions
{
    /// <summary>
    /// Adds <see cref="EmbeddedEngine"/>, the <see cref="IWorkflowClient"/> it is, and its hosted service. Options come from
    /// <see cref="EmbeddedEngineOptions"/>, time from a registered <see cref="TimeProvider"/>.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="builder">Gives the builder with all workflows and activities; asked once.</param>
    /// <param name="journal">Gives the journal; asked once, nothing is opened before the host starts.</param>
    public static IServiceCollection AddEmbeddedEngine(
        this IServiceCollection services,
        Func<IServiceProvider, EmbeddedEngineBuilder> builder,
        Func<IServiceProvider, IJournal> journal)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<EmbeddedEngineOptions>();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => builder(provider).Build(
            journal(provider),
            provider.GetRequiredService<IOptions<EmbeddedEngineOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetService<ILoggerFactory>(),
            provider));
        services.TryAddSingleton<IWorkflowClient>(provider => provider.GetRequiredService<EmbeddedEngine>());
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<EmbeddedEngine>());
        return services;
    }
}
