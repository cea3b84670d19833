using System.Net;
using System.Text;
using System.Text.Json;
using FedServerless.Wire;

namespace FedServerless.Cli.Server;

/// <summary>What to tell a person when a server refuses.</summary>
internal static class Refusal
{
    public static async Task<CommandException> ReadAsync(HttpResponseMessage response, ServerAddress server, CancellationToken cancellationToken)
    {
        var problem = Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        return new CommandException(response.StatusCode == HttpStatusCode.Unauthorized
            ? Unauthorized(server)
            : problem is null
                ? $"{server.Url} answered {(int)response.StatusCode} {response.ReasonPhrase}, without saying why. Is it a FedServerless server?"
                : Describe(problem));
    }

    /// <summary>Title and detail, then every problem on a line of its own.</summary>
    public static string Describe(ProblemDetails details)
    {
        var text = new StringBuilder(details.Title);
        if (details.Detail is { Length: > 0 } detail)
        {
            text.Append(": ").Append(detail);
        }

        foreach (var problem in details.Problems ?? [])
        {
            text.AppendLine().Append("  ").Append(problem);
        }

        return text.ToString();
    }

    private static string Unauthorized(ServerAddress server) => server.Key is null
        ? $"{server.Url} wants the operator key, and none was found in {server.KeySource}. The host keeps it in the file operator.key of its data folder; pass it with --key or {Variables.Key}."
        : $"{server.Url} does not accept the operator key from {server.KeySource}. The host keeps its key in the file operator.key of its data folder; pass that with --key or {Variables.Key}.";

    private static ProblemDetails? Parse(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, WireJson.Default.ProblemDetails);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
