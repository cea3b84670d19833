using System.Net;

namespace FedServerless.Client.Tests.Support;

/// <summary>What goes wrong with one request.</summary>
internal abstract record Fault
{
    /// <summary>The network loses the request: the server never sees it.</summary>
    public sealed record LoseRequest : Fault;

    /// <summary>The network loses the answer: the server has done its work.</summary>
    public sealed record LoseAnswer : Fault;

    /// <summary>The server answers this instead of doing anything.</summary>
    public sealed record Answer(HttpStatusCode Status, string? RetryAfter = null) : Fault;

    /// <summary>Something else answers in the server's place.</summary>
    public sealed record Instead(Func<HttpResponseMessage> Response) : Fault;

    /// <summary>Nothing is ever heard again.</summary>
    public sealed record Hang : Fault;

    /// <summary>The body of the answer breaks off after so many bytes.</summary>
    public sealed record BreakOff(int Bytes) : Fault;

    /// <summary>The process is killed before the server sees the request, or after it has.</summary>
    public sealed record Kill(bool After) : Fault;
}
