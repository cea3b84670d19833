using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Gateway;

/// <summary>What a route answered.</summary>
internal sealed record Answer(int Status, string? ContentType, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public T Read<T>(JsonTypeInfo<T> type) => JsonSerializer.Deserialize(Body, type)!;

    /// <summary>The problem, with its shape checked: the right media type, and the same status in body and head.</summary>
    public ProblemDetails Problem()
    {
        Assert.Equal("application/problem+json", ContentType);
        var problem = Read(WireJson.Default.ProblemDetails);
        Assert.Equal(Status, problem.Status);
        Assert.StartsWith("/problems/", problem.Type, StringComparison.Ordinal);
        Assert.NotEmpty(problem.Title);
        return problem;
    }
}
