using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Wire;

namespace FedServerless.Client.Http;

/// <summary>Reads what servers answer, within bounds.</summary>
internal static class Answers
{
    /// <summary>Longest answer of the API, in bytes; an upload of <see cref="DeviceApi.MaxParts"/> URLs fits.</summary>
    public const int MaxBytes = 1 << 20;

    private const int MaxMessage = 1000;

    /// <summary>The body; a longer one than <see cref="MaxBytes"/> is a failure.</summary>
    public static async Task<byte[]> ReadAsync(HttpResponseMessage response, Silence silence)
    {
        if (response.Content.Headers.ContentLength > MaxBytes)
        {
            throw TooLong();
        }

        var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        using var stream = await silence.GuardAsync(response.Content.ReadAsStreamAsync).ConfigureAwait(false);
        while (true)
        {
            var read = await silence.GuardAsync(token => stream.ReadAsync(buffer, token).AsTask()).ConfigureAwait(false);
            if (read == 0)
            {
                return body.ToArray();
            }

            body.Write(buffer, 0, read);
            if (body.Length > MaxBytes)
            {
                throw TooLong();
            }
        }

        static TransientException TooLong() => new($"the answer is longer than {MaxBytes} bytes");
    }

    /// <summary>The body as JSON.</summary>
    /// <exception cref="TransientException">It is not: most likely something between the device and the server has answered.</exception>
    public static T Parse<T>(byte[] body, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(body, type) ?? throw new JsonException("It is null.");
        }
        catch (JsonException problem)
        {
            throw new TransientException(
                "the answer is not what this API gives; is there a proxy or a sign-in page between this device and the server?", null, problem);
        }
    }

    /// <summary>The body as problem details; null for anything else.</summary>
    public static ProblemDetails? Problem(byte[] body)
    {
        try
        {
            return body.Length == 0 ? null : JsonSerializer.Deserialize(body, WireJson.Default.ProblemDetails);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A refusal as a sentence for people.</summary>
    public static string Describe(int status, ProblemDetails? problem)
    {
        var text = problem is null
            ? $"the server answered {status}"
            : $"the server answered {status} {problem.Title}{(problem.Detail is null ? "" : $": {problem.Detail}")}";
        foreach (var item in problem?.Problems ?? [])
        {
            text = $"{text} {item}";
        }

        return text.Length <= MaxMessage ? text : string.Concat(text.AsSpan(0, MaxMessage), "…");
    }

    /// <summary>True for what may pass: redirections (nothing is followed), 408, 429 and the server's own failures.</summary>
    public static bool MayPass(int status) => status is (>= 300 and < 400) or 408 or 429 or >= 500;

    /// <summary>The pause the answer asks for; null where it does not.</summary>
    public static TimeSpan? RetryAfter(HttpResponseMessage response, DateTimeOffset now)
    {
        var header = response.Headers.RetryAfter;
        var pause = header?.Delta ?? header?.Date - now;
        return pause is { } asked ? (asked > TimeSpan.Zero ? asked : TimeSpan.Zero) : null;
    }
}
