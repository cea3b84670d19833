using System.Net.Http.Headers;
using System.Text.Json;
using FedServerless.Gateway.About;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace FedServerless.Functions.Platform.Operators;

/// <summary>
/// The tenant's signing keys, from its OpenID metadata, kept in memory. They are asked for when the first token comes, every twelve
/// hours, and when a token names a key that is not among them, but never more often than every five minutes: whoever sends tokens
/// decides nothing about how often the authority is asked.
/// </summary>
internal sealed partial class EntraKeys(HttpClient http, EntraOptions options, TimeProvider time, ILogger<EntraKeys> logger) : IHealthSource, IDisposable
{
    /// <summary>Most bytes that are read of a document of the authority.</summary>
    public const int MaxDocumentBytes = 256 * 1024;

    private readonly SemaphoreSlim _asking = new(1, 1);

    private volatile Known? _known;

    private volatile string? _fault;

    // Written under the semaphore.
    private DateTimeOffset _askedAt = DateTimeOffset.MinValue;

    /// <summary>The key of a name; null when the tenant has no such key.</summary>
    /// <exception cref="EntraUnavailableException">The tenant's keys are not known, or known for too long.</exception>
    public async Task<SecurityKey?> FindAsync(string kid, CancellationToken cancellationToken)
    {
        var known = _known;
        if (known is null || !known.Keys.ContainsKey(kid) || time.GetUtcNow() - known.At >= options.RefreshEvery)
        {
            known = await RefreshAsync(kid, cancellationToken);
        }

        if (known is null || time.GetUtcNow() - known.At > options.MaxAge)
        {
            throw new EntraUnavailableException(_fault ?? Silent);
        }

        return known.Keys.GetValueOrDefault(kid);
    }

    /// <inheritdoc/>
    public Task<HealthFinding?> LookAsync(CancellationToken cancellationToken) =>
        Task.FromResult(_fault is { } fault ? new HealthFinding($"Operators' tokens: {fault}", IsFatal: false) : null);

    /// <inheritdoc/>
    public void Dispose() => _asking.Dispose();

    private const string Silent = "Entra ID does not answer, so nobody's token can be checked. Check Fed__OperatorAuthority and the network; it is asked again soon.";

    private async Task<Known?> RefreshAsync(string kid, CancellationToken cancellationToken)
    {
        await _asking.WaitAsync(cancellationToken);
        try
        {
            // Somebody else may have asked meanwhile.
            var now = time.GetUtcNow();
            var known = _known;
            var fresh = known is not null && known.Keys.ContainsKey(kid) && now - known.At < options.RefreshEvery;
            if (fresh || now - _askedAt < (known is null ? options.AskFirstEvery : options.AskEvery))
            {
                return known;
            }

            _askedAt = now;
            try
            {
                // Not with the caller's token: strangers who hang up early would otherwise use up every question, until nobody's keys are known.
                _known = new Known(await AskAsync(), now);
                _fault = null;
            }
            catch (Exception exception)
            {
                _fault = exception is EntraUnavailableException ours ? ours.Message : Silent;
                LogUnread(logger, _fault, exception);
            }

            return _known;
        }
        finally
        {
            _asking.Release();
        }
    }

    private async Task<Dictionary<string, SecurityKey>> AskAsync()
    {
        using var limit = new CancellationTokenSource(options.AnswerWithin, time);
        var metadata = new Uri(options.Authority, $"{options.TenantId}/v2.0/.well-known/openid-configuration");
        using var document = JsonDocument.Parse(await GetAsync(metadata, limit.Token));
        var address = document.RootElement.TryGetProperty("jwks_uri", out var given) && given.ValueKind == JsonValueKind.String ? given.GetString() : null;

        // Keys from elsewhere than the authority would be somebody else's.
        if (!Uri.TryCreate(address, UriKind.Absolute, out var keysUri) || keysUri.Scheme != Uri.UriSchemeHttps || keysUri.Host != options.Authority.Host)
        {
            throw new EntraUnavailableException("Entra ID's metadata names no address for its keys on its own host. Check Fed__OperatorAuthority.");
        }

        var keys = new JsonWebKeySet(System.Text.Encoding.UTF8.GetString(await GetAsync(keysUri, limit.Token))).Keys
            .Where(key => key.Kty == JsonWebAlgorithmsKeyTypes.RSA && key.Kid is { Length: > 0 } && key.Use is null or "sig")
            .GroupBy(key => key.Kid, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => (SecurityKey)group.First(), StringComparer.Ordinal);
        return keys.Count > 0 ? keys : throw new EntraUnavailableException("Entra ID's document of keys has none that signs. Check Fed__OperatorAuthority and Fed__OperatorTenantId.");
    }

    private async Task<byte[]> GetAsync(Uri address, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            throw new EntraUnavailableException((int)response.StatusCode is 400 or 404
                ? "Entra ID knows no such tenant. Check Fed__OperatorTenantId and Fed__OperatorAuthority."
                : $"Entra ID answered with status {(int)response.StatusCode}, so nobody's token can be checked. It is asked again soon.");
        }

        await response.Content.LoadIntoBufferAsync(MaxDocumentBytes, cancellationToken);
        return await response.Content.ReadAsByteArrayAsync(cancellationToken);
    }

    [LoggerMessage(5201, LogLevel.Error, "The operators' signing keys could not be read: {Reason}")]
    private static partial void LogUnread(ILogger logger, string reason, Exception exception);

    private sealed record Known(Dictionary<string, SecurityKey> Keys, DateTimeOffset At);
}

/// <summary>Tokens cannot be checked now; the message says why.</summary>
internal sealed class EntraUnavailableException(string message) : Exception(message);
