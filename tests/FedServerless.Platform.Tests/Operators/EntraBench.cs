using FedServerless.Functions.Platform.Operators;
using FedServerless.Gateway.Authentication;
using FedServerless.Gateway.Http;
using FedServerless.Platform.Tests.StandIns;
using FedServerless.Testing;
using FedServerless.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace FedServerless.Platform.Tests.Operators;

/// <summary>The authenticator before an authority of the tests' own, and a clock that stands still.</summary>
internal sealed class EntraBench : IAsyncDisposable
{
    private EntraBench(EntraStandIn entra)
    {
        Entra = entra;
        Keys = new EntraKeys(entra.Server.Client, EntraStandIn.Options, Time, NullLogger<EntraKeys>.Instance);
        Authenticator = new EntraOperatorAuthenticator(Keys, EntraStandIn.Options, Time);
    }

    public EntraStandIn Entra { get; }

    public ManualTimeProvider Time { get; } = new();

    public DateTimeOffset Now => Time.GetUtcNow();

    public EntraKeys Keys { get; }

    public EntraOperatorAuthenticator Authenticator { get; }

    public static async Task<EntraBench> StartAsync() => new(await EntraStandIn.StartAsync());

    public Task<OperatorCaller?> CallAsync(params string[] authorization)
    {
        var http = new DefaultHttpContext();
        http.Request.Headers.Authorization = authorization;
        return Authenticator.AuthenticateAsync(http, TestContext.Current.CancellationToken);
    }

    public async Task<OperatorCaller> AdmitAsync(string token) => Assert.IsType<OperatorCaller>(await CallAsync($"Bearer {token}"));

    public async Task<ProblemDetails> RefuseAsync(string token, int status = 401)
    {
        var refused = await Assert.ThrowsAsync<ProblemException>(() => CallAsync($"Bearer {token}"));
        Assert.Equal(status, refused.Problem.Status);
        return refused.Problem;
    }

    public async ValueTask DisposeAsync()
    {
        Keys.Dispose();
        await Entra.DisposeAsync();
    }
}
