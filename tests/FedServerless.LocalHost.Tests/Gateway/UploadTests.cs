using FedServerless.Activities.State;
using FedServerless.Gateway.Rounds;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Gateway;

public sealed class UploadTests
{
    [Fact]
    public async Task Ask_NothingThere_GivesHeaderAndParts()
    {
        using var scene = await RoundScene.OpenAsync();
        var request = scene.Announcement();

        var answer = await scene.AskAsync(scene.Alice, request);

        var missing = answer.Read(WireJson.Default.UploadResponse).Missing;
        Assert.Equal([-1, 0], missing.Select(part => part.Part));
        Assert.All(missing, part => Assert.Equal("PUT", part.Method));
        Assert.Equal(request.Parts[0].ContentMd5, missing[1].Headers["Content-MD5"]);
        Assert.Equal(StoreNames.UpdateHeader("r", 1, "alice", request.HeaderDigest), RoundScene.NameOf(missing[0]));
        Assert.Equal(StoreNames.UpdatePart("r", 1, "alice", request.HeaderDigest, 0), RoundScene.NameOf(missing[1]));
    }

    [Fact]
    public async Task Ask_PartThere_NamesOnlyTheRest()
    {
        using var scene = await RoundScene.OpenAsync();
        var request = scene.Announcement();
        await scene.PutAsync(StoreNames.UpdatePart("r", 1, "alice", request.HeaderDigest, 0));

        var answer = await scene.AskAsync(scene.Alice, request);

        Assert.Equal(-1, Assert.Single(answer.Read(WireJson.Default.UploadResponse).Missing).Part);
    }

    [Fact]
    public async Task Ask_NotSelected_IsRefused()
    {
        using var scene = await RoundScene.OpenAsync();

        var answer = await scene.AskAsync(scene.Carol);

        Assert.Equal((403, "/problems/not-yours"), (answer.Status, answer.Problem().Type));
    }

    [Theory]
    [InlineData("runs/r/rounds/2")]
    [InlineData("runs/other/rounds/1")]
    [InlineData("runs/r/rounds/0")]
    [InlineData("runs/r/rounds/x")]
    [InlineData("runs/R/rounds/1")]
    public async Task Ask_NoSuchRound_IsNotFound(string round)
    {
        using var scene = await RoundScene.OpenAsync();

        Assert.Equal((404, "/problems/not-found"), ((await scene.AskAsync(scene.Alice, round: round)) is var answer ? answer.Status : 0, answer.Problem().Type));
    }

    [Fact]
    public async Task Ask_NotOpenYet_Waits()
    {
        using var scene = await RoundScene.PlanAsync();

        Assert.Equal(409, (await scene.AskAsync(scene.Alice)).Status);
    }

    [Fact]
    public async Task Ask_Closing_IsGone()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.PutAsync(StoreNames.Closing("r", 1));

        var answer = await scene.AskAsync(scene.Alice);

        Assert.Equal((410, "/problems/closed"), (answer.Status, answer.Problem().Type));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task Ask_HeaderOfAnotherLength_IsRefused(int more)
    {
        using var scene = await RoundScene.OpenAsync();
        var request = scene.Announcement();

        var answer = await scene.AskAsync(scene.Alice, request with { HeaderBytes = request.HeaderBytes + more });

        Assert.Equal((400, "headerBytes"), (answer.Status, Assert.Single(answer.Problem().Problems!).Field));
    }

    [Fact]
    public async Task Ask_OneByteTooMany_IsRefused()
    {
        using var scene = await RoundScene.OpenAsync();
        var request = scene.Announcement();

        var answer = await scene.AskAsync(scene.Alice, request with { Parts = [request.Parts[0] with { Bytes = request.Parts[0].Bytes + 1 }] });

        Assert.Equal("parts", Assert.Single(answer.Problem().Problems!).Field);
    }

    [Fact]
    public async Task Ask_EverythingWrong_ListsEverything()
    {
        using var scene = await RoundScene.OpenAsync();
        var request = scene.Announcement() with { HeaderBytes = 0, Parts = [new UploadPart(0, "AA==")] };

        var answer = await scene.AskAsync(scene.Alice, request);

        Assert.Equal(["headerBytes", "parts[0].bytes", "parts[0].contentMd5"], answer.Problem().Problems!.Select(problem => problem.Field));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Ask_WrongNumberOfParts_IsRefused(int parts)
    {
        using var scene = await RoundScene.OpenAsync();
        var request = scene.Announcement();

        var answer = await scene.AskAsync(scene.Alice, request with { Parts = [.. Enumerable.Repeat(request.Parts[0], parts)] });

        Assert.Equal((400, "parts"), (answer.Status, Assert.Single(answer.Problem().Problems!).Field));
    }

    [Fact]
    public async Task Ask_OtherPartsUnderTheSameHeader_Conflicts()
    {
        using var scene = await RoundScene.OpenAsync();
        var request = scene.Announcement();
        await scene.AskAsync(scene.Alice, request);

        var answer = await scene.AskAsync(scene.Alice, request with { Parts = [request.Parts[0] with { Bytes = 1 }] });

        Assert.Equal((409, "/problems/other-parts"), (answer.Status, answer.Problem().Type));
    }

    [Fact]
    public async Task Ask_TooManyUpdates_OnlyTheFirstOnesGetUrls()
    {
        using var scene = await RoundScene.OpenAsync();
        for (byte content = 1; content <= Uploads.MaxUpdatesPerRound; content++)
        {
            Assert.Equal(200, (await scene.AskAsync(scene.Alice, scene.Announcement(content))).Status);
        }

        var above = await scene.AskAsync(scene.Alice, scene.Announcement(100));

        Assert.Equal((409, "/problems/too-many-updates"), (above.Status, above.Problem().Type));
        Assert.Equal(200, (await scene.AskAsync(scene.Alice, scene.Announcement(1))).Status);
        Assert.Equal(200, (await scene.AskAsync(scene.Bob, scene.Announcement(100))).Status);
    }
}
