using FedServerless.Activities;
using FedServerless.Functions.Hosting;
using FedServerless.Gateway;
using FedServerless.Gateway.Authentication;
using FedServerless.Storage;
using FedServerless.Testing.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace FedServerless.Functions.Tests.Triggers;

/// <summary>The app's own services over a store in memory, without a worker around them.</summary>
internal sealed class TestApp : IDisposable
{
    public const string OperatorKey = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

    private readonly ServiceProvider _services;

    public TestApp()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<IObjectStore>(Store);
        services.AddSingleton<IServerSecrets>(new FixedSecrets(new SecretRing(new MasterSecret("1", new byte[MasterSecret.MinBytes]))));
        services.AddSingleton<IOperatorAuthenticator>(new OperatorKeyAuthenticator(OperatorKey));
        services.AddFedGateway(new GatewayOptions());
        services.AddSingleton<ActivitySet>();
        services.AddFedFunctions();
        _services = services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
    }

    public InMemoryObjectStore Store { get; } = new();

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    /// <summary>An object of a class with triggers, made as the worker makes it.</summary>
    public object Make(Type triggers) => ActivatorUtilities.CreateInstance(_services, triggers);

    public object? Get(Type type) => _services.GetService(type);

    /// <summary>A request to a row, past the binding.</summary>
    public Task<(int Status, string Text, IHeaderDictionary Headers)> SendAsync(string route, string method, string path, string? key = null) =>
        AnswerAsync(method, path, key, request => Get<RouteInvoker>().RunAsync(route, request, new NoDurableClient()));

    /// <summary>A request to no row.</summary>
    public Task<(int Status, string Text, IHeaderDictionary Headers)> SendUnknownAsync(string method, string path) =>
        AnswerAsync(method, path, null, Get<RouteInvoker>().RefuseAsync);

    public void Dispose() => _services.Dispose();

    private static async Task<(int Status, string Text, IHeaderDictionary Headers)> AnswerAsync(
        string method, string path, string? key, Func<HttpRequest, Task> handle)
    {
        var http = new DefaultHttpContext();
        using var body = new MemoryStream();
        http.Response.Body = body;
        http.Request.Method = method;
        http.Request.Path = path;
        http.Request.Host = new HostString("fed.example.org");
        http.Request.Scheme = "https";
        if (key is not null)
        {
            http.Request.Headers.Authorization = $"Bearer {key}";
        }

        await handle(http.Request);
        return (http.Response.StatusCode, System.Text.Encoding.UTF8.GetString(body.ToArray()), http.Response.Headers);
    }
}
