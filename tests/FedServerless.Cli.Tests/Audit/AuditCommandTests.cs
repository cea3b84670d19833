using System.Text.Json;
using FedServerless.Cli.Tests.Fakes;
using FedServerless.Wire;

namespace FedServerless.Cli.Tests.Audit;

public sealed class AuditCommandTests
{
    private static readonly AuditRecord First = new(
        DateTimeOffset.UnixEpoch, "00", 1, null, "operator", "operator-key", "Ada", "stopRun", "runs/r", 200, null, "198.51.100.7", 1, null);

    private static readonly AuditRecord Second = First with { Number = 2, Actor = "unproven", Id = null, Name = null, Status = 401, Problem = "/problems/authentication", Count = 17 };

    [Fact]
    public async Task Audit_SeveralPages_ShowsThemAll()
    {
        using var shell = new TestShell(Server());

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("audit", "--day", "2026-11-22"));

        Assert.Contains("operator Ada", shell.Output, StringComparison.Ordinal);
        Assert.Contains("17", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Audit_TextOfStrangers_ReachesTheTerminalAsText()
    {
        var forged = First with { Subject = "runs/\u001b[2Jr\nz", Name = "A\u202eda" };
        using var shell = new TestShell(new FakeServer().On("GET audit", new AuditPage([forged], null), WireJson.Default.AuditPage));

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("audit"));

        Assert.Contains("runs/\ufffd[2Jr\ufffdz", shell.Output, StringComparison.Ordinal);
        Assert.Contains("A\ufffdda", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Audit_Json_IsOneLineWithEveryRecord()
    {
        using var shell = new TestShell(Server());

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("audit", "--day", "2026-11-22", "--json"));

        var page = JsonSerializer.Deserialize(shell.Output, WireJson.Default.AuditPage)!;
        Assert.Equal([First, Second], page.Records);
        Assert.Null(page.Next);
    }

    [Fact]
    public async Task Audit_DayThatIsNone_IsRefusedWithoutARequest()
    {
        var server = new FakeServer();
        using var shell = new TestShell(server);

        Assert.Equal(ExitCodes.Usage, await shell.RunAsync("audit", "--day", "yesterday"));

        Assert.Contains("--day is 'yesterday'", shell.Error, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Audit_NoDay_LeavesItToTheServer()
    {
        using var shell = new TestShell(new FakeServer().On("GET audit", new AuditPage([], null), WireJson.Default.AuditPage));

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("audit"));

        Assert.StartsWith("Nothing was done", shell.Output, StringComparison.Ordinal);
    }

    private static FakeServer Server() => new FakeServer()
        .On("GET audit?day=2026-11-22", new AuditPage([First], "0a-1"), WireJson.Default.AuditPage)
        .On("GET audit?day=2026-11-22&after=0a-1", new AuditPage([Second], null), WireJson.Default.AuditPage);
}
