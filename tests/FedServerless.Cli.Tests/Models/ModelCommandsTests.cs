using System.Text;
using System.Text.Json;
using FedServerless.Cli.Tests.Fakes;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Cli.Tests.Models;

public sealed class ModelCommandsTests
{
    private static readonly WireJson Json = WireJson.Default;

    [Fact]
    public async Task Get_Output_DownloadsWithoutTheOperatorKey()
    {
        var file = Encoding.ASCII.GetBytes("the weights");
        var server = new FakeServer().On("GET models/press", Views.Version(file), Json.VersionView).On("GET /blobs/weights", 200, file);
        using var shell = new TestShell(server);

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("model", "get", "press", "-o", "m.safetensors"));

        Assert.Equal(file, await File.ReadAllBytesAsync(Path.Combine(shell.Folder, "m.safetensors"), TestContext.Current.CancellationToken));
        Assert.Equal([$"Bearer {FakeServer.Key}", null], server.Requests.Select(request => request.Authorization));
    }

    [Theory]
    [InlineData("the weightz")]
    [InlineData("the weight")]
    [InlineData("the weights and more")]
    public async Task Get_DownloadIsDamaged_LeavesNoFile(string received)
    {
        var server = new FakeServer()
            .On("GET models/press/versions/v3", Views.Version(Encoding.ASCII.GetBytes("the weights"), "v3"), Json.VersionView)
            .On("GET /blobs/weights", 200, Encoding.ASCII.GetBytes(received));
        using var shell = new TestShell(server);

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync("model", "get", "press", "--version", "v3", "-o", "m.safetensors"));

        Assert.Contains("damaged", shell.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(shell.Folder));
    }

    [Fact]
    public async Task PruneAndQuantise_DownloadedModel_WriteWhatToDeploy()
    {
        using var shell = new TestShell(new FakeServer());
        var layout = TensorLayout.Create([new TensorSpec("w", [2, 2], TensorRole.Parameter), new TensorSpec("b", [2], TensorRole.Parameter)]);
        var path = Path.Combine(shell.Folder, "m.safetensors");
        await File.WriteAllBytesAsync(path, ModelStateFile.ToBytes(new ModelState(layout, [1, 2, 3, 4, 5, 6], [])), TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("model", "prune", "m.safetensors", "--share", "0.5", "-o", "p.safetensors"));
        Assert.Equal(ExitCodes.Success, await shell.RunAsync("model", "quantise", "p.safetensors", "-o", "q.safetensors"));

        var pruned = await File.ReadAllBytesAsync(Path.Combine(shell.Folder, "p.safetensors"), TestContext.Current.CancellationToken);
        Assert.Equal([0f, 0, 3, 4, 5, 6], ModelStateFile.Read(pruned).Values);
        Assert.True(File.Exists(Path.Combine(shell.Folder, "q.safetensors")));
        Assert.Contains("2 of 4 weights are zero", shell.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no.safetensors", "0.5", "no.safetensors")]
    [InlineData("m.safetensors", "0.5", "cannot be read as a model")]
    [InlineData("m.safetensors", "1", "")]
    public async Task Prune_WhatCannotBe_SaysWhy(string file, string share, string reason)
    {
        using var shell = new TestShell(new FakeServer());
        await File.WriteAllTextAsync(Path.Combine(shell.Folder, "m.safetensors"), "no model", TestContext.Current.CancellationToken);

        Assert.NotEqual(ExitCodes.Success, await shell.RunAsync("model", "prune", file, "--share", share, "-o", "p.safetensors"));

        Assert.Contains(reason, shell.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(shell.Folder, "p.safetensors")));
    }

    [Theory]
    [InlineData(201)]
    [InlineData(409)]
    [InlineData(412)]
    public async Task Put_FileInAnotherOrder_SendsTheCanonicalOne(int uploaded)
    {
        var (foreign, canonical) = TwoTensors();
        var server = new FakeServer()
            .On("POST models/press/uploads", new PartUpload(0, "PUT", "/blobs/up", new Dictionary<string, string> { ["If-None-Match"] = "*", ["Content-MD5"] = "x" }), Json.PartUpload)
            .On("PUT /blobs/up", uploaded, [])
            .On("POST models/press", Views.Version(canonical), Json.VersionView, 201);
        using var shell = new TestShell(server);
        await File.WriteAllBytesAsync(Path.Combine(shell.Folder, "in.safetensors"), foreign, TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("model", "put", "press", "in.safetensors"));

        Assert.NotEqual(foreign, canonical);
        Assert.Equal(Encoding.Latin1.GetString(canonical), server.Requests[1].Body);
        Assert.Equal(new ModelUploadRequest(Digest.Of(canonical), canonical.Length), JsonSerializer.Deserialize(server.Requests[0].Body, Json.ModelUploadRequest));
        Assert.Equal(Digest.Of(canonical), JsonSerializer.Deserialize(server.Requests[2].Body, Json.CreateModelRequest)!.Digest);
    }

    [Fact]
    public async Task Put_NoModel_SaysWhatIsExpected()
    {
        using var shell = new TestShell(new FakeServer());
        await File.WriteAllTextAsync(Path.Combine(shell.Folder, "in.txt"), "no model at all", TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync("model", "put", "press", "in.txt"));

        Assert.Contains("safetensors file whose tensors are F32 or I64", shell.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RollBack_Version_TellsWhatIsServed()
    {
        var server = new FakeServer().On("POST models/press/rollback", Views.Version([1], "v1"), Json.VersionView);
        using var shell = new TestShell(server);

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("model", "rollback", "press", "v1"));

        Assert.Equal("press serves v1.", shell.Output.Trim());
        Assert.Equal("""{"version":"v1"}""", Assert.Single(server.Requests).Body);
    }

    [Theory]
    [InlineData("model list", "GET models")]
    [InlineData("model list press", "GET models/press/versions")]
    public async Task List_WithAndWithoutModel_AsksForVersions(string line, string request)
    {
        using var shell = new TestShell(new FakeServer().On(request, new Listing<VersionView>([Views.Version([1])]), Json.ListingVersionView));

        Assert.Equal(ExitCodes.Success, await shell.RunAsync(line.Split(' ')));

        Assert.Contains("init-0", shell.Output, StringComparison.Ordinal);
    }

    // Two scalars by hand: the file has b before a, without roles; the canonical one orders and names roles itself.
    private static (byte[] Foreign, byte[] Canonical) TwoTensors()
    {
        var json = """{"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""";
        byte[] foreign = [.. BitConverter.GetBytes((long)json.Length), .. Encoding.ASCII.GetBytes(json), .. BitConverter.GetBytes(2f), .. BitConverter.GetBytes(1f)];
        return (foreign, ModelStateFile.ToBytes(ModelStateFile.Read(foreign)));
    }
}
