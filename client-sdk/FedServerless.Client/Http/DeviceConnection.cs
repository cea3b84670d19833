using System.Net.Http.Headers;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Wire;

namespace FedServerless.Client.Http;

/// <summary>One request of the device API.</summary>
/// <param name="Operation">Its name in events and messages.</param>
/// <param name="Method">The HTTP method.</param>
/// <param name="Route">Below the API's prefix.</param>
/// <param name="Body">JSON; empty for none.</param>
/// <param name="Hold">How long the server may hold it.</param>
internal sealed record ApiCall(string Operation, HttpMethod Method, string Route, byte[] Body, TimeSpan Hold = default);

/// <summary>What the API answered.</summary>
internal readonly record struct ApiAnswer<T>(int Status, T Body);

/// <summary>
/// Signed calls of the device API. Learns the server's nonce and time from its answers, and sends again what may pass.
/// </summary>
internal sealed class DeviceConnection(
    HttpClient http, ServerUrls urls, RequestSigner signer, string? client, FedClientOptions options, RetryPolicy retries)
{
    /// <summary>Challenges (a nonce, the time) answered for one attempt: both, and both again.</summary>
    public const int MaxChallenges = 4;

    /// <summary>Longest nonce that is repeated to the server, in characters.</summary>
    public const int MaxNonceLength = 512;

    private string _nonce = "";
    private TimeSpan _clockOffset;

    /// <summary>Calls the API; the answer is a success.</summary>
    /// <exception cref="FedClientException">The server refused, or could not be reached in time.</exception>
    public Task<ApiAnswer<T>> CallAsync<T>(
        ApiCall call, JsonTypeInfo<T> type, Deadline deadline, CancellationToken cancellationToken) =>
        retries.RunAsync(call.Operation, deadline, token => AttemptAsync(call, type, token), cancellationToken);

    private async Task<ApiAnswer<T>> AttemptAsync<T>(ApiCall call, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        for (var challenges = 0; ; challenges++)
        {
            using var silence = new Silence(options.RequestTimeout + call.Hold, options.TimeProvider, cancellationToken);
            using var request = Build(call);
            using var response = await silence
                .GuardAsync(token => http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token)).ConfigureAwait(false);
            LearnNonce(response);
            var status = (int)response.StatusCode;
            var body = await Answers.ReadAsync(response, silence).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
            {
                return new ApiAnswer<T>(status, Answers.Parse(body, type));
            }

            var problem = Answers.Problem(body);
            if (status == 401 && challenges < MaxChallenges && IsChallenge(problem))
            {
                continue;
            }

            var reason = Answers.Describe(status, problem);
            throw Answers.MayPass(status)
                ? new TransientException(reason, Answers.RetryAfter(response, ServerTime))
                : new FedClientException($"{call.Operation} was refused: {reason.TrimEnd('.')}.") { Status = status, Problem = problem };
        }
    }

    private DateTimeOffset ServerTime => options.TimeProvider.GetUtcNow() + _clockOffset;

    private HttpRequestMessage Build(ApiCall call)
    {
        var url = urls.Api(call.Route);
        var request = new HttpRequestMessage(call.Method, url);
        if (call.Body.Length > 0)
        {
            request.Content = new ByteArrayContent(call.Body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        if (call.Hold > TimeSpan.Zero)
        {
            request.Headers.TryAddWithoutValidation("Prefer", $"wait={(int)call.Hold.TotalSeconds}");
        }

        var proof = signer.Sign(client, call.Method.Method, url.AbsoluteUri, ServerTime, _nonce, call.Body);
        request.Headers.Authorization = new AuthenticationHeaderValue(DeviceApi.AuthorizationScheme, proof);
        return request;
    }

    private void LearnNonce(HttpResponseMessage response)
    {
        if (response.Headers.TryGetValues(DeviceApi.NonceHeader, out var values)
            && values.FirstOrDefault() is { Length: > 0 and <= MaxNonceLength } nonce)
        {
            _nonce = nonce;
        }
    }

    private bool IsChallenge(ProblemDetails? problem)
    {
        if (problem is { Type: ProblemTypes.Clock, ServerTime: { } serverTime })
        {
            _clockOffset = serverTime - options.TimeProvider.GetUtcNow();
            return true;
        }

        return problem is { Type: ProblemTypes.Nonce };
    }
}
