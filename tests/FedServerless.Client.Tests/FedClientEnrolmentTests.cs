using System.Net;
using System.Runtime.Versioning;
using FedServerless.Client.Tests.Support;
using FedServerless.Wire;

namespace FedServerless.Client.Tests;

public sealed class FedClientEnrolmentTests
{
    [Fact]
    public async Task EnrolAsync_Code_GivesTheIdentity()
    {
        using var device = new Device();

        var client = await device.OnAsync();

        Assert.Equal(("sensor-7", "default", new Uri(FakeServer.Origin)), (client.ClientId, client.Population, client.Server));
    }

    [Fact]
    public async Task EnrolAsync_SameCodeLater_SendsNothing()
    {
        using var device = new Device();
        await device.OnAsync();
        device.Off();
        device.Server.Log.Clear();

        var client = await device.OnAsync();

        Assert.Equal("sensor-7", client.ClientId);
        Assert.Empty(device.Server.Log);
    }

    [Fact]
    public async Task EnrolAsync_AnswerLostAndProcessKilled_RepeatsTheSameKey()
    {
        using var device = new Device();
        using var process = new CancellationTokenSource();
        device.Server.OnKill = process.Cancel;
        device.Server.FaultAt = (n, _) => n == 1 ? new Fault.Kill(After: true) : null;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => device.OnAsync(process.Token));

        // The fake refuses the code with any other key.
        var client = await device.OnAsync();

        Assert.Equal("sensor-7", client.ClientId);
    }

    [Fact]
    public async Task EnrolAsync_NewCodeForTheSameClient_ReplacesTheKey()
    {
        using var device = new Device();
        await device.OnAsync();
        device.Off();
        device.Server.Reissue("bmV3");

        await device.StepAsync();

        device.AssertCommitted();
    }

    [Fact]
    public async Task EnrolAsync_NewCodeRefused_KeepsTheOldIdentity()
    {
        using var device = new Device();
        await device.OnAsync();
        device.Off();
        var wrong = device.Server.Code with { Secret = "d3Jvbmc" };

        await Assert.ThrowsAsync<FedClientException>(() => FedClient.EnrolAsync(wrong.ToString(), device.Options));
        await device.StepAsync();

        device.AssertCommitted();
    }

    [Fact]
    public async Task EnrolAsync_CodeOfAnotherClient_Refused()
    {
        using var device = new Device();
        await device.OnAsync();
        device.Off();
        var other = device.Server.Code with { Client = "sensor-8" };

        var problem = await Assert.ThrowsAsync<FedClientException>(() => FedClient.EnrolAsync(other.ToString(), device.Options));

        Assert.Contains("belongs to client 'sensor-7'", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EnrolAsync_CodeUsedUp_TellsTheServersReason()
    {
        using var device = new Device();
        device.Server.Code = device.Server.Code with { Secret = "other" };
        var code = device.Server.Code with { Secret = "dXNlZA" };

        var problem = await Assert.ThrowsAsync<FedClientException>(() => FedClient.EnrolAsync(code.ToString(), device.Options));

        Assert.Equal(409, problem.Status);
        Assert.Equal("/problems/code-used", problem.Problem?.Type);
        Assert.DoesNotContain("..", problem.Message, StringComparison.Ordinal);
        Assert.False(problem.IsTransient);
    }

    [Theory]
    [InlineData("")]
    [InlineData("fed1.")]
    [InlineData("fed1.!!!")]
    [InlineData("hello")]
    public async Task EnrolAsync_NotACode_SaysWhatOneLooksLike(string code)
    {
        using var device = new Device();

        var problem = await Assert.ThrowsAsync<FedClientException>(() => FedClient.EnrolAsync(code, device.Options));

        Assert.Contains("fed1.", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EnrolAsync_KeyCannotBeStored_SaysSoAndShowsItToNobody()
    {
        using var device = new Device();
        Directory.CreateDirectory(Path.Combine(device.Folder, "enrolling.json.tmp"));

        var problem = await Assert.ThrowsAsync<FedClientException>(() => device.OnAsync());

        Assert.Contains("enrolling.json' cannot be written", problem.Message, StringComparison.Ordinal);
        Assert.Empty(device.Server.Log);
    }

    [Fact]
    public async Task EnrolAsync_ServerEnrolsAnotherName_Refused()
    {
        using var device = new Device();
        device.Server.Rewrite = (_, response) => response.StatusCode == HttpStatusCode.OK
            ? FakeServer.Json(HttpStatusCode.OK, new EnrolResponse("someone-else", "default"), WireJson.Default.EnrolResponse)
            : response;

        var problem = await Assert.ThrowsAsync<FedClientException>(() => device.OnAsync());

        Assert.Contains("someone-else", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NeverEnrolled_SaysHowTo()
    {
        using var device = new Device();

        var problem = Assert.Throws<FedClientException>(() => FedClient.Open(device.Options));

        Assert.Contains("fed enrol", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_Enrolled_GivesTheIdentityWithoutARequest()
    {
        using var device = new Device();
        await device.OnAsync();
        device.Off();
        device.Server.Log.Clear();

        using var client = FedClient.Open(device.Options);

        Assert.Equal("default", client.Population);
        Assert.Empty(device.Server.Log);
    }

    [Fact]
    public async Task Open_FolderInUse_RefusesUntilReleased()
    {
        using var device = new Device();
        await device.OnAsync();

        var problem = Assert.Throws<FedClientException>(() => FedClient.Open(device.Options));
        device.Off();
        using var client = FedClient.Open(device.Options);

        Assert.Contains("in use by another client", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task EnrolAsync_Unix_KeepsEverythingToItsUser()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "File modes are a Unix notion.");
        using var device = new Device();
        await device.StepAsync();

        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
            | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        Assert.All(
            Directory.GetFileSystemEntries(device.Folder, "*", SearchOption.AllDirectories).Append(device.Folder),
            path => Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(path) & Others));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task Open_KeyReadableByOthers_Refuses()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "File modes are a Unix notion.");
        using var device = new Device();
        await device.OnAsync();
        device.Off();
        var path = Path.Combine(device.Folder, "identity.json");
        File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.GroupRead);

        var problem = Assert.Throws<FedClientException>(() => FedClient.Open(device.Options));

        Assert.Contains("chmod 600", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"version\": 1", "\"version\": 2", "format 2")]
    [InlineData("{", "", "damaged")]
    [InlineData("\"server\": \"http", "\"server\": \"nowhere", "damaged")]
    [InlineData("BEGIN PRIVATE KEY", "BEGIN", "private key cannot be read")]
    public async Task Open_IdentityFileChanged_SaysWhatToDo(string from, string to, string message)
    {
        using var device = new Device();
        await device.OnAsync();
        device.Off();
        var path = Path.Combine(device.Folder, "identity.json");
        await File.WriteAllTextAsync(path, (await File.ReadAllTextAsync(path)).Replace(from, to, StringComparison.Ordinal));

        var problem = Assert.Throws<FedClientException>(() => FedClient.Open(device.Options));

        Assert.Contains(message, problem.Message, StringComparison.Ordinal);
    }
}
