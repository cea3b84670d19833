using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Http;

/// <summary>Reads a body once, whole, within a bound.</summary>
internal static class RequestBody
{
    /// <summary>The body's bytes.</summary>
    /// <exception cref="ProblemException">413: more than <paramref name="limit"/> bytes; no more than that is ever held.</exception>
    public static async Task<byte[]> ReadAsync(HttpRequest request, int limit, CancellationToken cancellationToken)
    {
        if (request.ContentLength > limit)
        {
            throw new ProblemException(Problems.TooLarge(limit));
        }

        using var body = new MemoryStream((int)(request.ContentLength ?? 0));
        var buffer = new byte[16 << 10];
        int read;
        while ((read = await request.Body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (body.Length + read > limit)
            {
                throw new ProblemException(Problems.TooLarge(limit));
            }

            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }
}
