using System.Buffers.Text;
using Azure;
using FedServerless.Functions.Platform.Secrets;
using FedServerless.Gateway.Authentication;
using FedServerless.Platform.Tests.StandIns;

namespace FedServerless.Platform.Tests.Secrets;

[Collection(nameof(IdentityEnvironment))]
public sealed class VaultReaderTests : IAsyncLifetime
{
    private VaultBench _bench = null!;

    public async ValueTask InitializeAsync() => _bench = await VaultBench.StartAsync();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task ReadAsync_OneVersion_IsCurrentAndAskedForWithTheIdentitysToken()
    {
        var version = _bench.Vault.Add("a1", _bench.Now);

        var ring = await _bench.ReadAsync();

        Assert.Equal("a1", ring.Current.Kid);
        Assert.Null(ring.Previous);
        Assert.Equal(new MasterSecret("x", Base64Url.DecodeFromChars(version.Value)).Derive("p"), ring.Current.Derive("p"));
        Assert.Equal(["GET /secrets/fed-master/versions", "GET /secrets/fed-master/a1"], _bench.Vault.Asked);
        Assert.Equal(["https://vault.azure.net"], _bench.Vault.TokensAsked);
    }

    [Fact]
    public async Task ReadAsync_ManyVersionsOnPages_TakesTheTwoNewest()
    {
        // Newest and second newest on the second and on the last of four pages.
        foreach (var (name, age) in new[] { ("a", 90), ("b", 80), ("c", 1), ("d", 70), ("e", 60), ("f", 50), ("g", 2) })
        {
            _bench.Vault.Add(name, _bench.Now - age);
        }

        _bench.Vault.PageSize = 2;
        var ring = await _bench.ReadAsync();

        Assert.Equal(("c", "g"), (ring.Current.Kid, ring.Previous!.Kid));
        Assert.Equal(4, _bench.Vault.Listings);
        Assert.Equal(6, _bench.Vault.Asked.Count);
    }

    [Fact]
    public async Task ReadAsync_TwoOfOneSecond_AreToldApartByName()
    {
        _bench.Vault.Add("b", _bench.Now);
        _bench.Vault.Add("c", _bench.Now);
        _bench.Vault.Add("a", _bench.Now);

        var ring = await _bench.ReadAsync();

        Assert.Equal(("c", "b"), (ring.Current.Kid, ring.Previous!.Kid));
    }

    [Fact]
    public async Task ReadAsync_DisabledExpiredAndEarlyVersions_AreLeftOut()
    {
        _bench.Vault.Add("good", _bench.Now - 9);
        foreach (var bent in new[]
        {
            _bench.Vault.Add("disabled", _bench.Now - 1) with { Enabled = false },
            _bench.Vault.Add("expired", _bench.Now - 2) with { Expires = _bench.Now },
            _bench.Vault.Add("early", _bench.Now - 3) with { NotBefore = _bench.Now + 1 },
            _bench.Vault.Add("just", _bench.Now - 4) with { NotBefore = _bench.Now, Expires = _bench.Now + 1 },
        })
        {
            _bench.Vault.Versions[_bench.Vault.Versions.FindIndex(version => version.Name == bent.Name)] = bent;
        }

        var ring = await _bench.ReadAsync();

        Assert.Equal(("just", "good"), (ring.Current.Kid, ring.Previous!.Kid));
    }

    [Fact]
    public async Task ReadAsync_Again_AsksOnlyForVersionsItHasNot()
    {
        _bench.Vault.Add("a", _bench.Now - 2);
        _bench.Vault.Add("b", _bench.Now - 1);
        var reader = new VaultReader(_bench.Client(), _bench.Time);
        await reader.ReadAsync(TestContext.Current.CancellationToken);
        _bench.Vault.Add("c", _bench.Now);
        _bench.Vault.Asked.Clear();

        var ring = await reader.ReadAsync(TestContext.Current.CancellationToken);

        Assert.Equal(("c", "b"), (ring.Current.Kid, ring.Previous!.Kid));
        Assert.Equal(["GET /secrets/fed-master/versions", "GET /secrets/fed-master/c"], _bench.Vault.Asked);
    }

    [Fact]
    public async Task ReadAsync_Throttled_WaitsAsLongAsTheVaultSays()
    {
        _bench.Vault.Add("a", _bench.Now);
        _bench.Vault.Faults.Enqueue(VaultStandIn.Refuse(429, "Throttled", "Request was not processed because too many requests were received.", ("Retry-After", "1")));

        var ring = await _bench.ReadAsync(retries: 1);

        Assert.Equal("a", ring.Current.Kid);
        var times = _bench.Vault.Times.ToArray();
        Assert.True(TimeProvider.System.GetElapsedTime(times[0], times[1]) >= TimeSpan.FromSeconds(0.95), "The client did not wait the second that it was told; its own pause is a millisecond.");
    }

    [Theory]
    [InlineData("short")]
    [InlineData("not base64url!")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")] // 31 bytes
    public async Task ReadAsync_NotASecretOfOurs_NamesTheVersionAndNotItsValue(string value)
    {
        _bench.Vault.Versions.Add(new StoredVersion("a", value, _bench.Now));

        var refused = await Assert.ThrowsAsync<VaultException>(() => _bench.ReadAsync());

        Assert.Contains("Version a ", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(value, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadAsync_SeveralWaysToFail_EachHasItsSentence()
    {
        var sentences = new List<string>
        {
            await FailAsync(() => { }),
            await FailAsync(() => _bench.Vault.Versions.Add(_bench.Vault.Add("a", _bench.Now) with { Enabled = false }), clearFirst: true),
            await FailAsync(VaultStandIn.Refuse(404, "SecretNotFound", "A secret with (name/id) fed-master was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command.")),
            await FailAsync(VaultStandIn.Refuse(403, "Forbidden", "Caller is not authorized to perform action on resource. Inner error: { \"code\": \"ForbiddenByRbac\" }")),
            await FailAsync(VaultStandIn.Refuse(403, "Forbidden", "Client address is not authorized and caller is not a trusted service. Inner error: { \"code\": \"ForbiddenByFirewall\" }")),
            await FailAsync(VaultStandIn.Refuse(429, "Throttled", "Too many requests.")),
            await FailAsync(VaultStandIn.Refuse(503, "ServiceUnavailable", "Try later.")),
            await FailAsync(() => _bench.Vault.Server.IsDown = true),
        };

        string[] expected = ["no secret 'fed-master', or it was deleted", "are disabled, expired", "no secret 'fed-master', or it was deleted", "Key Vault Secrets User", "firewall", "throttles", "status 503", "does not answer"];
        Assert.Equal(expected.Length, sentences.Count);
        Assert.All(expected.Zip(sentences), pair => Assert.Contains(pair.First, pair.Second, StringComparison.Ordinal));
        Assert.All(sentences, sentence => Assert.DoesNotContain(VaultStandIn.Uri.Host, sentence, StringComparison.Ordinal));
    }

    [Fact]
    public async Task ReadAsync_VersionDisabledWhileReading_HasItsSentence()
    {
        _bench.Vault.Add("a", _bench.Now);
        _bench.Vault.Faults.Enqueue(http =>
        {
            _bench.Vault.Faults.Enqueue(VaultStandIn.Refuse(403, "Forbidden", "Operation get is not allowed on a disabled secret."));
            return WriteListAsync(http);
        });

        var failed = await Assert.ThrowsAnyAsync<RequestFailedException>(() => _bench.ReadAsync());

        Assert.Contains("was disabled while it was read", VaultFaults.Explain(failed), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadAsync_IdentityThatTheHostHasNot_NamesTheSetting()
    {
        _bench.Vault.Add("a", _bench.Now);
        _bench.Vault.GivesTokens = false;

        var failed = await Assert.ThrowsAnyAsync<Exception>(() => _bench.ReadAsync());

        Assert.Contains("Fed__IdentityClientId", VaultFaults.Explain(failed), StringComparison.Ordinal);
    }

    private static Task WriteListAsync(Microsoft.AspNetCore.Http.HttpContext http)
    {
        http.Response.ContentType = "application/json";
        return Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(
            http.Response, $$$"""{"value":[{"id":"{{{VaultStandIn.Uri}}}secrets/fed-master/a","attributes":{"enabled":true,"created":1}}]}""");
    }

    private Task<string> FailAsync(Microsoft.AspNetCore.Http.RequestDelegate fault) => FailAsync(() => _bench.Vault.Fault = fault);

    private async Task<string> FailAsync(Action arrange, bool clearFirst = false)
    {
        if (clearFirst)
        {
            _bench.Vault.Versions.Clear();
        }

        arrange();
        if (clearFirst)
        {
            _bench.Vault.Versions.RemoveAll(version => version.Enabled);
        }

        return VaultFaults.Explain(await Assert.ThrowsAnyAsync<Exception>(() => _bench.ReadAsync()));
    }
}
