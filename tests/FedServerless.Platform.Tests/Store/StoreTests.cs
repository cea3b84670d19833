using System.Collections.Concurrent;
using System.Globalization;
using Azure.Core;
using FedServerless.Functions.Platform;
using FedServerless.Functions.Platform.Store;
using FedServerless.Platform.Tests.Settings;
using FedServerless.Platform.Tests.StandIns;
using FedServerless.Storage.Azure;
using FedServerless.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FedServerless.Platform.Tests.Store;

/// <summary>The real blob client before an account that refuses, is away, or has another time.</summary>
public sealed class StoreTests : IAsyncLifetime
{
    private readonly ManualTimeProvider _time = new();

    private readonly ClockGauge _gauge;

    private StandInServer _account = null!;

    private RequestDelegate _answer = null!;

    public StoreTests() => _gauge = new ClockGauge(_time);

    public async ValueTask InitializeAsync() => _account = await StandInServer.StartAsync(["account.blob.core.windows.net"], http => _answer(http));

    public ValueTask DisposeAsync() => _account.DisposeAsync();

    [Theory]
    [InlineData(403, "AuthorizationPermissionMismatch", "Storage Blob Data Contributor and Storage Blob Delegator")]
    [InlineData(403, "AuthorizationFailure", "network rules")]
    [InlineData(403, "KeyBasedAuthenticationNotPermitted", "Fed__StorageUri")]
    [InlineData(403, "AuthenticationFailed", "one tenant")]
    [InlineData(401, "InvalidAuthenticationInfo", "one tenant")]
    [InlineData(403, "SomethingNew", "refuses the host")]
    [InlineData(404, "ContainerNotFound", "Fed__StorageContainer")]
    [InlineData(403, "AccountIsDisabled", "disabled")]
    [InlineData(503, "ServerBusy", "throttles")]
    public async Task Explain_AccountThatRefuses_SaysWhatToDo(int status, string code, string expected)
    {
        _answer = http => Answer(http, status, code);

        var sentence = await FailAsync();

        Assert.Contains(expected, sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("account.blob", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_AccountThatIsAway_SaysWhatToDo()
    {
        _account.IsDown = true;

        Assert.Contains("does not answer", await FailAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(409, "BlobBeingRehydrated")]
    [InlineData(400, "InvalidInput")]
    public async Task Explain_FailureOfTheRequestItself_IsNobodysButOurs(int status, string code)
    {
        _answer = http => Answer(http, status, code);

        Assert.Null(await FailAsync());
    }

    [Fact]
    public void Explain_AnyOtherException_IsNull() => Assert.Null(StoreFaults.Explain(new InvalidOperationException("ours")));

    [Theory]
    [InlineData(0, null)]
    [InlineData(10, null)]
    [InlineData(-10, null)]
    [InlineData(11, "11 s ahead of")]
    [InlineData(-11, "11 s behind")]
    public async Task Clock_AgainstTheAccounts_IsAWarningFromElevenSecondsOn(int ahead, string? expected)
    {
        _answer = http => AnswerAt(http, _time.GetUtcNow() - TimeSpan.FromSeconds(ahead));

        await Store().HeadAsync("a", TestContext.Current.CancellationToken);

        var finding = await _gauge.LookAsync(TestContext.Current.CancellationToken);
        Assert.Equal(expected is null, finding is null);
        if (expected is not null)
        {
            Assert.False(finding!.IsFatal);
            Assert.Contains(expected, finding.Sentence, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Clock_AnswerThatTookLong_TellsNothing()
    {
        _answer = http =>
        {
            var then = _time.GetUtcNow();
            _time.Advance(TimeSpan.FromSeconds(60));
            return AnswerAt(http, then);
        };

        await Store().HeadAsync("a", TestContext.Current.CancellationToken);

        Assert.Equal(TimeSpan.Zero, _gauge.Ahead);
    }

    [Fact]
    public async Task Start_OnALaptop_MakesTheContainer()
    {
        var asked = new ConcurrentQueue<string>();
        _answer = http =>
        {
            asked.Enqueue($"{http.Request.Method} {http.Request.Path}{http.Request.QueryString}");
            http.Response.StatusCode = StatusCodes.Status201Created;
            return Task.CompletedTask;
        };
        var folder = Directory.CreateTempSubdirectory("fed-store-");
        try
        {
            await using var services = OnALaptop(folder.FullName);
            var start = services.GetServices<IHostedService>().OfType<StoreStart>().Single();

            await start.StartAsync(TestContext.Current.CancellationToken);
            await start.ExecuteTask!;
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        Assert.Equal(["PUT /devstoreaccount1/fed?restype=container", "HEAD /devstoreaccount1/fed/health"], asked);
    }

    // The composition that runs, before an account that is the stand-in.
    private ServiceProvider OnALaptop(string folder)
    {
        var values = SettingsBench.Laptop();
        values["Fed:SecretsFolder"] = folder;
        values["Fed:StorageConnection"] =
            $"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=AAAA;BlobEndpoint={_account.Http}devstoreaccount1;";
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddFedPlatform(SettingsBench.Configuration(values), SettingsBench.Environment(isDevelopment: true));
        return services.BuildServiceProvider();
    }

    private static Task Answer(HttpContext http, int status, string code)
    {
        http.Response.Headers["x-ms-error-code"] = code;
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private static Task AnswerAt(HttpContext http, DateTimeOffset date)
    {
        http.Response.Headers.Date = date.ToString("R", CultureInfo.InvariantCulture);
        return Answer(http, 404, "BlobNotFound");
    }

    private AzureBlobStore Store() => AzureBlobStore.Create(new AzureBlobStoreOptions
    {
        Container = "fed",
        ServiceUri = new Uri("https://account.blob.core.windows.net"),
        Credential = DelegatedTokenCredential.Create((_, _) => new AccessToken("token", DateTimeOffset.MaxValue)),
        ConfigureClient = client =>
        {
            client.Transport = _account.Transport;
            client.Retry.MaxRetries = 1;
            client.Retry.Delay = TimeSpan.FromMilliseconds(1);
            client.AddPolicy(_gauge, HttpPipelinePosition.PerRetry);
        },
    });

    private async Task<string?> FailAsync() =>
        StoreFaults.Explain(await Assert.ThrowsAnyAsync<Exception>(() => Store().HeadAsync("a", TestContext.Current.CancellationToken)));
}
