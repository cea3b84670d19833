using FedServerless.Cli.Feed;

namespace FedServerless.Cli.Tests.Feed;

/// <summary>The real client against a feed that has the package, lacks it, fails, or says nothing.</summary>
public sealed class FeedProbeTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    // NuGet asks a failing source again three times over six seconds; that a test need not see.
    static FeedProbeTests()
    {
        Environment.SetEnvironmentVariable("NUGET_ENHANCED_MAX_NETWORK_TRY_COUNT", "1");
        Environment.SetEnvironmentVariable("NUGET_ENHANCED_NETWORK_RETRY_DELAY_MILLISECONDS", "1");
    }

    [Fact]
    public async Task AskAsync_FeedHasThePackage_IsServedAndNothingRemembered()
    {
        await using var feed = new LocalFeed();
        using var clone = new SmallClone($"{feed.Address}index.json");

        Assert.Equal(FeedAnswer.Served, await new FeedProbe(clone.Path).AskAsync("extra", Cancel));
        Assert.Empty(clone.Memory());
    }

    [Theory]
    [InlineData("Fed.Other", "1.0.0", "Fed.Other")]
    [InlineData("Fed.Sample", "2.0.0", "Fed.Sample 2.0.0")]
    [InlineData("Fed.Sample", "0.9.0", "Fed.Sample 0.9.0")]
    public async Task AskAsync_FeedLacksPackageOrVersion_IsRememberedAndNotAskedAgain(string package, string version, string missing)
    {
        await using var feed = new LocalFeed();
        using var clone = new SmallClone($"{feed.Address}index.json", package, version);
        clone.Write("Directory.Build.props", "<Project><PropertyGroup><TreatWarningsAsErrors>true</TreatWarningsAsErrors></PropertyGroup></Project>");
        var expected = new FeedAnswer(FeedVerdict.NotFound, missing);

        Assert.Equal(expected, await new FeedProbe(clone.Path).AskAsync("extra", Cancel));
        var asked = feed.Requests;

        Assert.Equal(expected, await new FeedProbe(clone.Path).AskAsync("extra", Cancel));
        Assert.Equal(asked, feed.Requests);
    }

    [Fact]
    public async Task AskAsync_OtherSource_AsksAgain()
    {
        await using var without = new LocalFeed { Versions = FeedMood.NotFound };
        await using var with = new LocalFeed();
        using var clone = new SmallClone($"{without.Address}index.json");
        Assert.Equal(FeedVerdict.NotFound, (await new FeedProbe(clone.Path).AskAsync("extra", Cancel)).Verdict);

        clone.UseSource($"{with.Address}index.json");

        Assert.Equal(FeedVerdict.Served, (await new FeedProbe(clone.Path).AskAsync("extra", Cancel)).Verdict);
    }

    [Fact]
    public async Task AskAsync_OtherVersion_AsksAgain()
    {
        await using var feed = new LocalFeed();
        using var clone = new SmallClone($"{feed.Address}index.json", version: "2.0.0");
        Assert.Equal(FeedVerdict.NotFound, (await new FeedProbe(clone.Path).AskAsync("extra", Cancel)).Verdict);

        var versions = clone.Combine("Directory.Packages.props");
        File.WriteAllText(versions, File.ReadAllText(versions).Replace("2.0.0", "1.0.0", StringComparison.Ordinal));

        Assert.Equal(FeedVerdict.Served, (await new FeedProbe(clone.Path).AskAsync("extra", Cancel)).Verdict);
    }

    [Theory]
    [InlineData(FeedMood.NotFound, FeedMood.Serves, FeedMood.Serves)]
    [InlineData(FeedMood.Fails, FeedMood.Serves, FeedMood.Serves)]
    [InlineData(FeedMood.Serves, FeedMood.Fails, FeedMood.Serves)]
    [InlineData(FeedMood.Serves, FeedMood.Serves, FeedMood.Fails)]
    internal async Task AskAsync_FeedAnswersWithErrors_IsUnreachableAndNotRemembered(FeedMood index, FeedMood versions, FeedMood downloads)
    {
        await using var feed = new LocalFeed { Index = index, Versions = versions, Downloads = downloads };
        using var clone = new SmallClone($"{feed.Address}index.json");

        var answer = await new FeedProbe(clone.Path).AskAsync("extra", Cancel);

        Assert.Equal(FeedVerdict.Unreachable, answer.Verdict);
        Assert.NotEmpty(answer.Why);
        Assert.Empty(clone.Memory());
    }

    [Theory]
    [InlineData("http://feed.invalid/index.json")]
    [InlineData("http://127.0.0.1:1/index.json")]
    public async Task AskAsync_NoSuchHostOrNobodyListens_IsUnreachableAndNotRemembered(string source)
    {
        using var clone = new SmallClone(source);

        Assert.Equal(FeedVerdict.Unreachable, (await new FeedProbe(clone.Path).AskAsync("extra", Cancel)).Verdict);
        Assert.Empty(clone.Memory());
    }

    [Fact]
    public async Task AskAsync_FeedSaysNothing_GivesUpAfterItsPatience()
    {
        await using var feed = new LocalFeed { Index = FeedMood.Silent };
        using var clone = new SmallClone($"{feed.Address}index.json");

        var answer = await new FeedProbe(clone.Path) { Patience = TimeSpan.FromSeconds(2) }.AskAsync("extra", Cancel);

        Assert.Equal(new FeedAnswer(FeedVerdict.Unreachable, "no answer within 2 s"), answer);
        Assert.Empty(clone.Memory());
    }

    [Fact]
    public async Task AskAsync_NoProbeProject_SaysWhichIsMissing()
    {
        using var clone = new SmallClone("http://feed.invalid/index.json");

        var problem = await Assert.ThrowsAsync<CommandException>(() => new FeedProbe(clone.Path).AskAsync("other", Cancel));
        Assert.Contains("eng/probe/other.csproj", problem.Message, StringComparison.Ordinal);
    }
}
