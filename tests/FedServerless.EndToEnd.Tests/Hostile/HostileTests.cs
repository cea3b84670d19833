using System.Net.Sockets;
using System.Text;
using FedServerless.Activities.State;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests.Hostile;

/// <summary>Devices that lie to a running federation over HTTP: each is refused with a reason that the operator sees, the round goes on.</summary>
public sealed class HostileTests
{
    private const int LayoutAt = 8;
    private const int BaseAt = 40;

    private static readonly string[] Liars = ["bits", "layout", "nan", "stale"];

    [Fact]
    public async Task Round_FullOfLiars_IsMadeOfTheHonestAndSaysWhy()
    {
        await using var federation = await HostedFederation.StartedAsync();
        using var zoo = await Zoo.OpenAsync(federation, [.. Liars, "greedy", "vanished"]);

        await zoo.SendAsync("nan", update => update.WithPart(part => BitConverter.TryWriteBytes(part.AsSpan(8), float.NaN)));
        await zoo.SendAsync("bits", update => update.Flipped(3, inHeader: false));
        await zoo.SendAsync("layout", update => update.Flipped(LayoutAt, inHeader: true));
        await zoo.SendAsync("stale", update => update.Flipped(BaseAt, inHeader: true));
        await zoo.SendAsync("greedy", update => update, samples: long.MaxValue);
        zoo.LetHonestOnesGo();
        await federation.Operator.WaitForEndAsync("run");

        var round = await federation.Operator.RoundAsync("run", 1);
        Assert.Equal(("published", 7, 3), (round.State, round.Receipts, round.Accepted));
        var reasons = round.Verdicts.ToDictionary(refusal => refusal.Client, refusal => refusal.Reason);
        Assert.Equal(Liars, reasons.Keys.Order(StringComparer.Ordinal));
        Assert.Contains("finite", reasons["nan"], StringComparison.Ordinal);
        Assert.Contains("not what its header signed", reasons["bits"], StringComparison.Ordinal);
        Assert.Contains("layout", reasons["layout"], StringComparison.Ordinal);
        Assert.Contains("started from", reasons["stale"], StringComparison.Ordinal);
        var accepted = await federation.Disk.GetAsync(StoreNames.Accepted("run", 1), StoreJson.Default.AcceptedDocument, CancellationToken.None);
        Assert.Equal(10_000, accepted.Value.Accepted.Single(update => update.Client == "greedy").Weight);
        await Consistency.CheckAsync(federation, "run", 1);
    }

    [Fact]
    public async Task Receipts_TwiceForOthersReplayedForged_ChangeNothing()
    {
        await using var federation = await HostedFederation.StartedAsync();
        using var zoo = await Zoo.OpenAsync(federation, ["a", "b"]);
        var (a, b) = (zoo["a"], zoo["b"]);
        var lease = await a.LeaseAsync();
        await b.LeaseAsync();
        var update = await a.EncodeAsync(lease, 0.5f);
        await a.UploadAsync(lease, update);

        Assert.Equal(201, (await a.CommitAsync(lease, a.Receipt(lease, update))).Status);
        var sent = a.Last;
        Assert.Equal(200, (await a.RawAsync(sent.Method, sent.Path, sent.Body, sent.Proof)).Status);
        Assert.Equal(409, (await a.CommitAsync(lease, a.Receipt(lease, update, samples: 11))).Status);
        Assert.Equal(403, (await b.CommitAsync(lease, a.Receipt(lease, update))).Status);
        Assert.Equal(409, (await b.CommitAsync(lease, b.Receipt(lease, update))).Status);
        Assert.Equal(404, (await b.CommitAsync(lease with { Round = 2 }, b.Receipt(lease with { Round = 2 }, update))).Status);
        Assert.Equal(400, (await b.CommitAsync(lease, b.Receipt(lease with { Round = 2 }, update))).Status);
        Assert.Equal(409, (await b.CommitAsync(lease, b.Receipt(lease, update) with { BaseDigest = Digest.Of("older"u8) })).Status);
        Assert.Equal(401, (await b.RawAsync(sent.Method, sent.Path, Encoding.UTF8.GetBytes("{}"), sent.Proof)).Status);
        Assert.Equal(401, (await b.RawAsync(sent.Method, sent.Path.Replace("receipts", "uploads", StringComparison.Ordinal), sent.Body, sent.Proof)).Status);
        Assert.Equal(401, (await b.RawAsync(sent.Method, sent.Path, sent.Body, sent.Proof[..^4] + "AAAA")).Status);

        Assert.Equal(1, (await federation.Operator.RoundAsync("run", 1)).Receipts);
    }

    [Fact]
    public async Task Commit_RoundIsOver_IsLateOrGone()
    {
        await using var federation = await HostedFederation.StartedAsync();
        using var zoo = await Zoo.OpenAsync(federation, ["late", "later"], quorum: Zoo.Honest);
        var (late, later) = (zoo["late"], zoo["later"]);
        var lease = await late.LeaseAsync();
        await later.LeaseAsync();
        var update = await late.EncodeAsync(lease, 0.5f);
        await late.UploadAsync(lease, update);
        zoo.LetHonestOnesGo();
        await federation.Operator.WaitForEndAsync("run");

        var answer = await late.CommitAsync(lease, late.Receipt(lease, update));

        // The round's cleaning may have taken the upload already: then there is nothing to be late with.
        Assert.Contains(answer.Status, new[] { 202, 410 });
        Assert.Equal(410, (await later.CommitAsync(lease, later.Receipt(lease, update))).Status);
        Assert.Equal(Zoo.Honest, (await federation.Operator.RoundAsync("run", 1)).Receipts);
    }

    [Fact]
    public async Task Urls_ReusedTamperedTraversing_ReachNothing()
    {
        await using var federation = await HostedFederation.StartedAsync();
        using var zoo = await Zoo.OpenAsync(federation, ["a"]);
        var a = zoo["a"];
        var lease = await a.LeaseAsync();
        var update = await a.EncodeAsync(lease, 0.5f);
        var part = (await a.AskAsync(lease, update)).Single(missing => missing.Part == 0);
        var name = StoreNames.UpdatePart("run", 1, "a", Digest.Of(update.Header), 0);

        Assert.InRange(await a.PutAsync(part, update.Part[..^1]), 400, 499);
        Assert.InRange(await a.PutAsync(part, [.. update.Part, 0]), 400, 499);
        Assert.InRange(await a.PutAsync(part, update.Flipped(0, inHeader: false).Part), 400, 499);
        Assert.Null(federation.Disk.Peek(name));
        Assert.Equal(201, await a.PutAsync(part, update.Part));
        Assert.InRange(await a.PutAsync(part with { Headers = new Dictionary<string, string>() }, update.Flipped(0, inHeader: false).Part), 400, 499);
        Assert.Equal(update.Part, federation.Disk.Peek(name));

        var before = federation.Disk.Names.Where(object_ => !object_.Contains("/presence/", StringComparison.Ordinal)).ToList();
        foreach (var url in new[]
        {
            part.Url.Replace("p0000", "p0001", StringComparison.Ordinal),
            part.Url.Replace("/a/", "/b/", StringComparison.Ordinal),
            part.Url.Replace("p0000", "..%2f..%2fp0000", StringComparison.Ordinal),
            part.Url.Replace("p0000", "%2e%2e/%2e%2e/x", StringComparison.Ordinal),
            part.Url.Replace("/p0000", "%5c..%5cp0000", StringComparison.Ordinal),
            part.Url.Replace("p0000", "p0000%00", StringComparison.Ordinal),
            part.Url[..part.Url.IndexOf('?', StringComparison.Ordinal)],
            part.Url + "&length=1",
        })
        {
            Assert.InRange(await a.PutAsync(part, update.Part, url), 400, 499);
        }

        Assert.Equal(before, federation.Disk.Names.Where(object_ => !object_.Contains("/presence/", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("depth")]
    [InlineData("duplicates")]
    [InlineData("number")]
    [InlineData("header")]
    [InlineData("nul")]
    public async Task Bodies_MadeToBreakReaders_AreRefused(string kind)
    {
        await using var federation = await HostedFederation.StartedAsync();
        using var zoo = await Zoo.OpenAsync(federation, ["a"]);
        var lease = await zoo["a"].LeaseAsync();
        var update = await zoo["a"].EncodeAsync(lease, 0.5f);
        await zoo["a"].UploadAsync(lease, update);
        var sound = Encoding.UTF8.GetString(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(
            zoo["a"].Receipt(lease, update), WireJson.Default.Receipt));
        var body = kind switch
        {
            "depth" => string.Concat(Enumerable.Repeat("{\"metrics\":", 20_000)) + "1" + new string('}', 20_000),
            "duplicates" => sound.Replace("\"samples\":10", "\"samples\":10,\"samples\":1000000", StringComparison.Ordinal),
            "number" => sound.Replace("\"samples\":10", "\"samples\":1e99999", StringComparison.Ordinal),
            "header" => sound.Replace("training-loss", "x\\r\\nFed-Nonce: y", StringComparison.Ordinal),
            _ => sound.Replace("training-loss", "x\\u0000", StringComparison.Ordinal),
        };

        var answer = await zoo["a"].SendAsync(HttpMethod.Post, "runs/run/rounds/1/receipts", Encoding.UTF8.GetBytes(body));

        Assert.Equal(400, answer.Status);
        Assert.Equal(0, (await federation.Operator.RoundAsync("run", 1)).Receipts);
    }

    [Fact]
    public async Task Round_SomebodySendsAByteAnHour_GoesOn()
    {
        await using var federation = await HostedFederation.StartedAsync();
        using var zoo = await Zoo.OpenAsync(federation, ["slow"], quorum: Zoo.Honest);
        var slow = zoo["slow"];
        var lease = await slow.LeaseAsync();
        var part = (await slow.AskAsync(lease, await slow.EncodeAsync(lease, 0.5f))).Single(missing => missing.Part == 0);
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", federation.Host.Url.Port);
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"PUT {part.Url} HTTP/1.1\r\nHost: federation.test\r\nContent-Length: 108\r\n\r\nx"));

        zoo.LetHonestOnesGo();
        var ended = await federation.Operator.WaitForEndAsync("run");

        Assert.Equal((RunStates.Completed, 1), (ended.State, ended.PublishedRounds));
        Assert.DoesNotContain(federation.Disk.Names, name => name.EndsWith("/p0000", StringComparison.Ordinal) && name.Contains("/slow/", StringComparison.Ordinal));
    }
}
