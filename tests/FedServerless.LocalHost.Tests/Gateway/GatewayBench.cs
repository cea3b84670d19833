using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Activities;
using FedServerless.Activities.Metering;
using FedServerless.Gateway;
using FedServerless.Gateway.Authentication;
using FedServerless.Gateway.Http;
using FedServerless.Storage;
using FedServerless.Storage.Presigned;
using FedServerless.Testing;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FedServerless.LocalHost.Tests.Gateway;

/// <summary>The gateway without a server: its table, runner and use cases over a store in memory and a clock that stands still.</summary>
internal sealed class GatewayBench : IDisposable
{
    public const string Origin = "http://fed.test:7270";

    public const string OperatorKey = "operator-key-of-the-bench-0123456789-0123456789";

    private readonly ServiceProvider _services;

    /// <summary>Where requests come from; null for nowhere in particular.</summary>
    public System.Net.IPAddress? From { get; set; }

    public GatewayBench(GatewayOptions? options = null, Func<IObjectStore, IObjectStore>? wrap = null, IOperatorAuthenticator? operators = null, Action<IServiceCollection>? services = null)
    {
        Disk = new InMemoryObjectStore(new PresignedUrlSigner(new byte[32], Time), Time);
        Store = (wrap ?? (store => store))(Disk);
        var all = new ServiceCollection();
        all.AddSingleton<IObjectStore>(Store).AddSingleton<TimeProvider>(Time);
        all.AddSingleton<IServerSecrets>(new FixedSecrets(new SecretRing(new MasterSecret("bench", new byte[32]))));
        all.AddSingleton(operators ?? new OperatorKeyAuthenticator(OperatorKey));
        all.AddSingleton(typeof(ILogger<>), typeof(Microsoft.Extensions.Logging.Abstractions.NullLogger<>));
        all.AddFedGateway(options ?? new GatewayOptions { HoldCheckInsFor = TimeSpan.FromSeconds(60) });
        services?.Invoke(all);
        _services = all.BuildServiceProvider();
        Activities = new ActivitySet(Get<IObjectStore>(), Get<IPresence>(), Get<IRoundBell>(), Time, Get<UsageBook>());
    }

    public ManualTimeProvider Time { get; } = new();

    public InMemoryObjectStore Disk { get; }

    public IObjectStore Store { get; }

    public RecordingWorkflows Workflows { get; } = new();

    /// <summary>The real activities over the same store, so that rounds are what they are in production.</summary>
    public ActivitySet Activities { get; }

    public RouteTable Table => Get<RouteTable>();

    public long Now => Time.GetUtcNow().ToUnixTimeSeconds();

    public string Nonce => Get<NonceIssuer>().Fresh();

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    /// <summary>Calls as the operator.</summary>
    public Task<Answer> OperateAsync(string route, string path, byte[]? body = null, params (string Name, string Value)[] headers) =>
        SendAsync(route, path, body ?? [], [("Authorization", $"Bearer {OperatorKey}"), .. headers]);

    public Task<Answer> OperateAsync<T>(string route, string path, T body, JsonTypeInfo<T> type) =>
        OperateAsync(route, path, JsonSerializer.SerializeToUtf8Bytes(body, type));

    /// <summary>Calls as a device, with a sound proof.</summary>
    public Task<Answer> CallAsync(TestDevice device, string route, string path, byte[]? body = null, params (string Name, string Value)[] headers)
    {
        var method = Table[route].Method;
        var proof = device.Sign(method, Url(path), body ?? [], Nonce, Now);
        return SendAsync(route, path, body ?? [], [("Authorization", proof), .. headers]);
    }

    public Task<Answer> CallAsync<T>(TestDevice device, string route, string path, T body, JsonTypeInfo<T> type, params (string Name, string Value)[] headers) =>
        CallAsync(device, route, path, JsonSerializer.SerializeToUtf8Bytes(body, type), headers);

    public static string Url(string path) => $"{Origin}{DeviceApi.Prefix}/{path}";

    /// <summary>Calls with any values in the path, whatever a router would make of them: as the operator, or as the device where the row is a device's.</summary>
    public Task<Answer> SendRoutedAsync(string routeName, IReadOnlyDictionary<string, string> values, TestDevice device)
    {
        const string Path = "routed";
        var route = Table[routeName];
        var proof = route.Policy == RoutePolicy.Operator ? $"Bearer {OperatorKey}" : device.Sign(route.Method, Url(Path), [], Nonce, Now);
        return SendAsync(routeName, Path, [], [("Authorization", proof)], values: values);
    }

    /// <summary>Sends anything.</summary>
    public async Task<Answer> SendAsync(
        string routeName, string path, byte[] body, IEnumerable<(string Name, string Value)> headers,
        IReadOnlyDictionary<string, string>? values = null, Stream? stream = null, CancellationToken aborted = default)
    {
        var route = Table[routeName];
        var query = path.IndexOf('?', StringComparison.Ordinal);
        var http = new DefaultHttpContext { RequestServices = _services, RequestAborted = aborted };
        http.Connection.RemoteIpAddress = From;
        http.Request.Method = route.Method;
        http.Request.Scheme = "http";
        http.Request.Host = new HostString("fed.test", 7270);
        http.Request.Path = $"{DeviceApi.Prefix}/{(query < 0 ? path : path[..query])}";
        http.Request.QueryString = new QueryString(query < 0 ? "" : path[query..]);
        http.Request.Body = stream ?? new MemoryStream(body);
        http.Request.ContentLength = body.Length;
        foreach (var group in headers.GroupBy(header => header.Name))
        {
            http.Request.Headers[group.Key] = group.Select(header => header.Value).ToArray();
        }

        foreach (var (template, value) in route.Template.Split('/').Zip((query < 0 ? path : path[..query]).Split('/')))
        {
            if (template is ['{', .. var name, '}'])
            {
                http.Request.RouteValues[name] = value;
            }
        }

        foreach (var (name, value) in values ?? new Dictionary<string, string>())
        {
            http.Request.RouteValues[name] = value;
        }

        var answer = new MemoryStream();
        http.Response.Body = answer;
        await Get<RouteRunner>().RunAsync(route, http, Workflows);
        var head = http.Response.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        return new Answer(http.Response.StatusCode, http.Response.ContentType, head, answer.ToArray());
    }

    /// <summary>Lets the clock run until the task is done.</summary>
    public async Task<T> CompleteAsync<T>(Task<T> task)
    {
        while (!task.IsCompleted)
        {
            if (Time.NextDue is { } due)
            {
                Time.AdvanceTo(due);
            }

            await Task.Yield();
        }

        return await task;
    }

    /// <summary>A one-time code's secret.</summary>
    public async Task<string> MakeCodeAsync(string client, string population = "default", double validForSeconds = 3600)
    {
        var answer = await OperateAsync(
            "createEnrolment", "enrolments", new CreateEnrolmentRequest(client, population, validForSeconds), WireJson.Default.CreateEnrolmentRequest);
        Assert.Equal(201, answer.Status);
        Assert.True(EnrolmentCode.TryParse(answer.Read(WireJson.Default.CreateEnrolmentResponse).Code, out var code));
        return code!.Secret;
    }

    public Task<Answer> EnrolAsync(TestDevice device, string secret)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new EnrolRequest(secret, device.X, device.Y), WireJson.Default.EnrolRequest);
        var proof = device.Sign("POST", Url("enrol"), body, Nonce, Now, enrols: true);
        return SendAsync("enrol", "enrol", body, [("Authorization", proof)]);
    }

    /// <summary>An enrolled device.</summary>
    public async Task<TestDevice> DeviceAsync(string client)
    {
        var device = new TestDevice(client);
        var answer = await EnrolAsync(device, await MakeCodeAsync(client));
        Assert.Equal(200, answer.Status);
        return device;
    }

    /// <summary>Checks in, letting the clock gather presence.</summary>
    public Task<Answer> CheckInAsync(TestDevice device, params (string Name, string Value)[] headers) =>
        CompleteAsync(CallAsync(device, "checkIn", "check-in", new CheckInRequest(DeviceApi.Version, "test/1"), WireJson.Default.CheckInRequest, headers));

    public void Dispose() => _services.Dispose();
}
