using FedServerless.Cli.Feed;

namespace FedServerless.Cli.Tests.Feed;

/// <summary>Outputs of `dotnet restore`, recorded with SDK 10.0.401.</summary>
public sealed class RestoreOutputTests
{
    private const string NoPackage = "/r/p.csproj : error NU1101: Unable to find package Microsoft.DurableTask.Client. No packages exist with this id in source(s): nuget.org";
    private const string NoService = "/r/p.csproj : error NU1301: Unable to load the service index for source http://user:secret@feed.invalid/index.json.";

    [Fact]
    public void Judge_SeveralMissing_NamesThreeInOrderAndCountsTheRest()
    {
        string[] lines =
        [
            "/r/p.csproj : error NU1102: Unable to find package Microsoft.Azure.Functions.Worker with version (>= 2.52.0)",
            "/r/p.csproj : error NU1102:   - Found 1 version(s) in nuget.org [ Nearest version: 1.19.0 ]",
            NoPackage,
            NoPackage,
            "/r/p.csproj : error NU1102: Unable to find package Azure.Core with version (>= 99.0.0)",
            "/r/p.csproj : error NU1103: Unable to find a stable package Z.Preview with version (>= 1.0.0)",
        ];

        Assert.Equal(
            new FeedAnswer(FeedVerdict.NotFound, "Azure.Core 99.0.0, Microsoft.Azure.Functions.Worker 2.52.0, Microsoft.DurableTask.Client and 1 more"),
            RestoreOutput.Judge(1, lines));
    }

    [Theory]
    [InlineData("error NU1100: Unable to resolve 'A.B (>= 1.2.0)' for 'net10.0'. PackageSourceMapping is enabled, the following source(s) were not considered: nuget.org.", "A.B 1.2.0")]
    [InlineData("error NU1603: Warning As Error: Probe depends on A.B (>= 1.2.0) but A.B 1.2.0 was not found. A.B 2.0.0 was resolved instead.", "A.B 1.2.0")]
    [InlineData("error NU1101: worded in a way that no version of NuGet has used yet", "some of its packages")]
    public void Judge_OtherWaysToBeMissing_AreNotFound(string line, string missing) =>
        Assert.Equal(new FeedAnswer(FeedVerdict.NotFound, missing), RestoreOutput.Judge(1, [$"/r/p.csproj : {line}"]));

    [Fact]
    public void Judge_OneSourceSilent_DecidesNothingAndHidesCredentials()
    {
        var answer = RestoreOutput.Judge(1, [NoPackage, NoService]);

        Assert.Equal(new FeedAnswer(FeedVerdict.Unreachable, "Unable to load the service index for source http://feed.invalid/index.json"), answer);
    }

    [Theory]
    [InlineData("/r/p.csproj : error NU1605: Warning As Error: Detected package downgrade: A from 2.0.0 to 1.0.0.")]
    [InlineData("/r/p.csproj(3,4): error MSB4025: The project file could not be loaded.")]
    public void Judge_WhatIsNotTheFeedsDoing_IsLeftToTheBuild(string line) => Assert.Equal(FeedAnswer.Served, RestoreOutput.Judge(1, [line]));

    [Fact]
    public void Judge_SuccessWithWarnings_IsServed() =>
        Assert.Equal(FeedAnswer.Served, RestoreOutput.Judge(0, ["/r/p.csproj : warning NU1301: Unable to load the service index."]));
}
