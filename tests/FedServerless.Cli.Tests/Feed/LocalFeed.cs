using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FedServerless.Cli.Tests.Feed;

/// <summary>How the feed answers for one of its paths.</summary>
internal enum FeedMood
{
    Serves,
    NotFound,
    Fails,
    Silent,
}

/// <summary>A package feed of protocol version 3 on the loopback interface, with one package: <c>Fed.Sample</c> 1.0.0.</summary>
internal sealed class LocalFeed : IAsyncDisposable
{
    private static readonly byte[] Package = Pack();
    private readonly HttpListener _listener = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private readonly string _path = $"/{Guid.NewGuid():N}";
    private int _requests;

    public LocalFeed()
    {
        // Another path each time: NuGet keeps answers by address for half an hour, and ports come back.
        Address = $"http://127.0.0.1:{FreePort()}{_path}/";
        _listener.Prefixes.Add(Address);
        _listener.Start();
        _loop = ServeAsync();
    }

    public string Address { get; }

    /// <summary>How it answers for its index.</summary>
    public FeedMood Index { get; set; }

    /// <summary>How it answers for lists of versions.</summary>
    public FeedMood Versions { get; set; }

    /// <summary>How it answers for packages themselves.</summary>
    public FeedMood Downloads { get; set; }

    /// <summary>Requests so far.</summary>
    public int Requests => Volatile.Read(ref _requests);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Close();
        await _loop;
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Answer(await _listener.GetContextAsync());
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
            {
                // Closed, or the client went away in the middle of an answer.
            }
        }
    }

    private void Answer(HttpListenerContext context)
    {
        Interlocked.Increment(ref _requests);
        var path = context.Request.Url!.AbsolutePath[_path.Length..];
        var (mood, body) = path switch
        {
            "/index.json" => (Index, Text($$"""{"version":"3.0.0","resources":[{"@id":"{{Address}}flat/","@type":"PackageBaseAddress/3.0.0"}]}""")),
            "/flat/fed.sample/index.json" => (Versions, Text("""{"versions":["1.0.0"]}""")),
            "/flat/fed.sample/1.0.0/fed.sample.1.0.0.nupkg" => (Downloads, Package),
            _ => (FeedMood.NotFound, []),
        };
        if (mood == FeedMood.Silent)
        {
            return;
        }

        context.Response.StatusCode = mood switch { FeedMood.Serves => 200, FeedMood.NotFound => 404, _ => 500 };
        context.Response.Close(mood == FeedMood.Serves ? body : [], willBlock: false);
    }

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    private static byte[] Pack()
    {
        using var file = new MemoryStream();
        using (var archive = new ZipArchive(file, ZipArchiveMode.Create))
        {
            using var specification = new StreamWriter(archive.CreateEntry("Fed.Sample.nuspec").Open());
            specification.Write("""
                <package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata>
                <id>Fed.Sample</id><version>1.0.0</version><authors>none</authors><description>empty</description>
                </metadata></package>
                """);
        }

        return file.ToArray();
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
