using FedServerless.Functions.Platform.Operators;
using FedServerless.Platform.Tests.StandIns;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Platform.Tests.Operators;

public sealed class EntraKeysTests : IAsyncLifetime
{
    private EntraBench _bench = null!;

    private EntraStandIn Entra => _bench.Entra;

    public async ValueTask InitializeAsync() => _bench = await EntraBench.StartAsync();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task Keys_ManyTokens_AreAskedForOnce()
    {
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => _bench.AdmitAsync(Entra.Sign(_bench.Now))));

        Assert.Equal(1, Entra.Asked);
    }

    [Fact]
    public async Task Keys_RotatedByTheAuthority_AreFoundByTheirName()
    {
        await _bench.AdmitAsync(Entra.Sign(_bench.Now));
        _bench.Time.Advance(EntraStandIn.Options.AskEvery);
        Entra.Publish("k2");

        await _bench.AdmitAsync(Entra.Sign(_bench.Now, kid: "k2"));
        await _bench.AdmitAsync(Entra.Sign(_bench.Now, kid: "k1"));
        Assert.Equal(2, Entra.Asked);
    }

    [Fact]
    public async Task Keys_NamesThatNobodyHas_AskOnceInFiveMinutesAtMost()
    {
        var own = EntraStandIn.Foreign;
        await _bench.AdmitAsync(Entra.Sign(_bench.Now));
        for (var i = 0; i < 100; i++)
        {
            Assert.Contains("key", (await _bench.RefuseAsync(Entra.Sign(_bench.Now, kid: $"made-up-{i}", key: own))).Detail, StringComparison.Ordinal);
        }

        Assert.Equal(1, Entra.Asked);
        _bench.Time.Advance(EntraStandIn.Options.AskEvery);
        for (var i = 0; i < 100; i++)
        {
            await _bench.RefuseAsync(Entra.Sign(_bench.Now, kid: $"made-up-{i}", key: own));
        }

        Assert.Equal(2, Entra.Asked);
    }

    [Fact]
    public async Task Keys_WithdrawnByTheAuthority_AreGoneAfterTheNextQuestion()
    {
        await _bench.AdmitAsync(Entra.Sign(_bench.Now));
        var old = Entra.Key("k1");
        Entra.Publish("k2");
        Entra.Withdraw("k1");
        _bench.Time.Advance(EntraStandIn.Options.RefreshEvery);

        await _bench.RefuseAsync(Entra.Sign(_bench.Now, kid: "k1", key: old));
        await _bench.AdmitAsync(Entra.Sign(_bench.Now, kid: "k2"));
    }

    [Fact]
    public async Task Authority_AwayFromTheStart_Is503UntilItAnswers()
    {
        Entra.Server.IsDown = true;
        var problem = await _bench.RefuseAsync(Entra.Sign(_bench.Now), 503);
        Assert.Equal("/problems/unavailable", problem.Type);
        Assert.Contains("Entra ID does not answer", problem.Detail, StringComparison.Ordinal);
        Assert.NotNull(await _bench.Keys.LookAsync(TestContext.Current.CancellationToken));

        Entra.Server.IsDown = false;
        await _bench.RefuseAsync(Entra.Sign(_bench.Now), 503);
        Assert.Equal(0, Entra.Asked);

        _bench.Time.Advance(EntraStandIn.Options.AskFirstEvery);
        await _bench.AdmitAsync(Entra.Sign(_bench.Now));
        Assert.Null(await _bench.Keys.LookAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Authority_AwayLater_IsDoneWithoutForADay()
    {
        await _bench.AdmitAsync(Entra.Sign(_bench.Now));
        Entra.Server.IsDown = true;

        _bench.Time.Advance(EntraStandIn.Options.MaxAge);
        await _bench.AdmitAsync(Entra.Sign(_bench.Now));
        Assert.False((await _bench.Keys.LookAsync(TestContext.Current.CancellationToken))!.IsFatal);

        _bench.Time.Advance(TimeSpan.FromTicks(1));
        await _bench.RefuseAsync(Entra.Sign(_bench.Now), 503);
    }

    [Theory]
    [InlineData(400, "knows no such tenant")]
    [InlineData(404, "knows no such tenant")]
    [InlineData(500, "status 500")]
    [InlineData(302, "status 302")]
    public async Task Authority_ThatRefuses_SaysWhatToDo(int status, string expected)
    {
        Entra.Fault = http =>
        {
            http.Response.StatusCode = status;
            http.Response.Headers.Location = "https://elsewhere.example/";
            return Task.CompletedTask;
        };

        Assert.Contains(expected, (await _bench.RefuseAsync(Entra.Sign(_bench.Now), 503)).Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("{\"jwks_uri\":3}")]
    public async Task Authority_MetadataThatIsNone_LetsNobodyIn(string body)
    {
        Entra.Fault = http => http.Response.WriteAsync(body);

        await _bench.RefuseAsync(Entra.Sign(_bench.Now), 503);
    }

    [Theory]
    [InlineData("https://elsewhere.example/keys")]
    [InlineData("http://login.microsoftonline.com/0b2a1f60-5d0e-4c3e-9d0a-7f1f6f1c2e11/discovery/v2.0/keys")]
    public async Task Authority_KeysOfAnotherHost_AreNotAskedFor(string address)
    {
        Entra.KeysUri = address;

        Assert.Contains("on its own host", (await _bench.RefuseAsync(Entra.Sign(_bench.Now), 503)).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Authority_DocumentWithoutKeys_LetsNobodyIn()
    {
        var token = Entra.Sign(_bench.Now);
        Entra.Withdraw("k1");

        await _bench.RefuseAsync(token, 503);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task Authority_DocumentAtTheLimit_IsReadOrNot(int more, bool isRead)
    {
        Entra.Fault = async http =>
        {
            Entra.Fault = null;
            var text = $"{{\"jwks_uri\":\"{Entra.KeysUri}\",\"x\":\"\"}}";
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync(text.Insert(text.Length - 2, new string('a', EntraKeys.MaxDocumentBytes - text.Length + more)));
        };

        if (isRead)
        {
            await _bench.AdmitAsync(Entra.Sign(_bench.Now));
        }
        else
        {
            await _bench.RefuseAsync(Entra.Sign(_bench.Now), 503);
        }
    }

    [Fact]
    public async Task Authority_ThatHangs_IsGivenUp()
    {
        var hangs = new TaskCompletionSource();
        var came = new TaskCompletionSource();
        Entra.Fault = _ =>
        {
            came.TrySetResult();
            return hangs.Task;
        };
        var refused = _bench.RefuseAsync(Entra.Sign(_bench.Now), 503);
        await came.Task.WaitAsync(TestContext.Current.CancellationToken);

        _bench.Time.Advance(EntraStandIn.Options.AnswerWithin);

        Assert.Contains("does not answer", (await refused).Detail, StringComparison.Ordinal);
        hangs.SetResult();
    }

    [Fact]
    public async Task Authority_AskedForACallerWhoHangsUp_IsHeardAllTheSame()
    {
        var hangs = new TaskCompletionSource();
        var came = new TaskCompletionSource();
        Entra.Fault = async http =>
        {
            Entra.Fault = null;
            came.TrySetResult();
            await hangs.Task;
            await http.Response.WriteAsync($"{{\"jwks_uri\":\"{Entra.KeysUri}\"}}");
        };
        using var caller = new CancellationTokenSource();
        var asked = _bench.Keys.FindAsync("made-up", caller.Token);
        await came.Task.WaitAsync(TestContext.Current.CancellationToken);

        await caller.CancelAsync();
        hangs.SetResult();

        Assert.Null(await asked);
        await _bench.AdmitAsync(Entra.Sign(_bench.Now));
        Assert.Equal(1, Entra.Asked);
    }
}
