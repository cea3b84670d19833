using FedServerless.Cli.Server;
using FedServerless.Cli.Tests.Fakes;

namespace FedServerless.Cli.Tests.Server;

public sealed class ServerAddressTests : IDisposable
{
    private const string LocalUrl = "http://127.0.0.1:7270/";
    private readonly TestShell _shell = new();

    public void Dispose() => _shell.Dispose();

    [Fact]
    public void Resolve_HostRunsInTheClone_TakesItsAddressAndKey()
    {
        _shell.Set(Variables.Root, Path.Combine(_shell.Folder, "clone"));
        _shell.WriteDataFolder("clone/.fed/data", LocalUrl, "local-key");

        var address = Resolve();

        Assert.Equal((LocalUrl, "local-key"), (address.Url.AbsoluteUri, address.Key));
    }

    [Fact]
    public void Resolve_HostRunsInTheHomeFolderOnly_TakesThat()
    {
        _shell.Set(Variables.Root, Path.Combine(_shell.Folder, "clone"));
        _shell.WriteDataFolder("clone/.fed/data", null, "old-key");
        _shell.WriteDataFolder("home/.fedserverless", LocalUrl, "home-key");

        Assert.Equal("home-key", Resolve().Key);
    }

    [Fact]
    public void Resolve_KeyWithALineBreakBehind_IsTheKey()
    {
        _shell.Set(Variables.Url, LocalUrl).Set(Variables.Key, "the-key\r\n");

        Assert.Equal("the-key", Resolve().Key);
    }

    [Theory]
    [InlineData("two words")]
    [InlineData("two\nlines")]
    [InlineData("schlüssel")]
    public void Resolve_KeyThatNoHeaderCarries_SaysWhatAKeyIs(string key)
    {
        _shell.Set(Variables.Url, LocalUrl).Set(Variables.Key, key);

        var problem = Assert.Throws<CommandException>(() => Resolve());

        Assert.Equal(ExitCodes.Usage, problem.ExitCode);
        Assert.Contains("FED_KEY holds is not an operator key", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_AnotherServerByOption_NeverGetsTheLocalKey()
    {
        _shell.WriteDataFolder("home/.fedserverless", LocalUrl, "local-key");

        Assert.Null(Resolve(url: "http://127.0.0.1:7271").Key);
        Assert.Null(Resolve(url: "http://example.test:7270").Key);
        Assert.Null(Resolve(url: "https://127.0.0.1:7270").Key);
    }

    [Fact]
    public void Resolve_LocalServerByOption_GetsTheLocalKey()
    {
        _shell.WriteDataFolder("home/.fedserverless", LocalUrl, "local-key");

        Assert.Equal("local-key", Resolve(url: "http://127.0.0.1:7270").Key);
    }

    [Fact]
    public void Resolve_EnvironmentAndOption_OptionWins()
    {
        _shell.Set(Variables.Url, "http://a.test").Set(Variables.Key, "env-key");

        Assert.Equal(("http://a.test/", "env-key"), (Resolve().Url.AbsoluteUri, Resolve().Key));
        Assert.Equal(("http://b.test/", "option-key"), (Resolve("http://b.test", "option-key").Url.AbsoluteUri, Resolve("http://b.test", "option-key").Key));
    }

    [Fact]
    public void Resolve_DataFolder_WinsOverTheEnvironment()
    {
        _shell.Set(Variables.Url, "http://a.test").Set(Variables.Key, "env-key");
        _shell.WriteDataFolder("plant", LocalUrl, "plant-key");

        var address = ServerAddress.Resolve(_shell.Shell, null, null, "plant");

        Assert.Equal((LocalUrl, "plant-key"), (address.Url.AbsoluteUri, address.Key));
    }

    [Theory]
    [InlineData("ftp://a.test")]
    [InlineData("a.test")]
    [InlineData("/api")]
    public void Resolve_NotAnAddress_SaysWhatOneLooksLike(string url)
    {
        var refused = Assert.Throws<CommandException>(() => Resolve(url));

        Assert.Equal(ExitCodes.Usage, refused.ExitCode);
        Assert.Contains("http://127.0.0.1:7270", refused.Message, StringComparison.Ordinal);
    }

    private ServerAddress Resolve(string? url = null, string? key = null) => ServerAddress.Resolve(_shell.Shell, url, key, null);
}
