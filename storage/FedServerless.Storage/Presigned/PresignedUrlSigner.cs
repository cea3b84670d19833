using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace FedServerless.Storage.Presigned;

/// <summary>
/// Makes and checks the pre-signed URLs of a store that the host itself serves:
/// <c>/blobs/{name}?m=GET&amp;exp={seconds}&amp;sig={base64url}</c> and
/// <c>/blobs/{name}?m=PUT&amp;len={bytes}&amp;exp={seconds}&amp;sig={base64url}</c>, relative to the API's origin.
/// The signature is HMAC-SHA256 over method, name, length and expiry, so nothing in the URL can be changed.
/// </summary>
public sealed class PresignedUrlSigner
{
    /// <summary>The path under which the host serves objects.</summary>
    public const string BasePath = "/blobs/";

    /// <summary>Fewest bytes of key.</summary>
    public const int MinKeyLength = 32;

    // Keeps signatures of this purpose apart from any other made with the same key.
    private const string Purpose = "fedserverless-blob-url-v1";

    private readonly byte[] _key;
    private readonly byte[]? _previousKey;
    private readonly TimeProvider _time;

    /// <summary>A signer.</summary>
    /// <param name="key">At least <see cref="MinKeyLength"/> secret random bytes; the same after a restart, else open URLs die.</param>
    /// <param name="time">The clock of the expiry.</param>
    /// <param name="previousKey">The key before it, whose URLs are still good; null for none.</param>
    public PresignedUrlSigner(ReadOnlySpan<byte> key, TimeProvider time, byte[]? previousKey = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(previousKey?.Length ?? MinKeyLength, MinKeyLength, nameof(previousKey));
        ArgumentOutOfRangeException.ThrowIfLessThan(key.Length, MinKeyLength, nameof(key));
        ArgumentNullException.ThrowIfNull(time);
        _key = key.ToArray();
        _previousKey = previousKey;
        _time = time;
    }

    /// <summary>A URL that reads one object, ranges included.</summary>
    public PresignedRequest SignGet(string name, TimeSpan validFor)
    {
        ObjectName.ThrowIfInvalid(name);
        PresignLimits.ThrowIfOutOfRange(validFor);
        return new PresignedRequest("GET", Sign("GET", name, null, Expiry(validFor), _key), NoHeaders);
    }

    /// <summary>A URL that creates one object of exactly <paramref name="length"/> bytes.</summary>
    public PresignedRequest SignCreate(string name, long length, TimeSpan validFor)
    {
        ObjectName.ThrowIfInvalid(name);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        PresignLimits.ThrowIfOutOfRange(validFor);
        return new PresignedRequest("PUT", Sign("PUT", name, length, Expiry(validFor), _key), NoHeaders);
    }

    /// <summary>
    /// Checks a request's URL. The signature is compared in constant time and before anything that it covers is believed.
    /// </summary>
    /// <param name="method">The request's method: GET, HEAD or PUT.</param>
    /// <param name="path">The request's path, beginning with <see cref="BasePath"/>.</param>
    /// <param name="query">The request's query with its question mark, exactly as it came.</param>
    /// <param name="grant">What the URL allows; null when refused.</param>
    /// <param name="refusal">Why it was refused, else <see cref="PresignedRefusal.None"/>.</param>
    public bool TryVerify(string method, string path, string query, out PresignedGrant? grant, out PresignedRefusal refusal)
    {
        ArgumentNullException.ThrowIfNull(method);
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(query);
        var claimed = Parse(path, query);
        refusal = claimed is null ? PresignedRefusal.Malformed : Judge(claimed, method, path + query);
        grant = refusal == PresignedRefusal.None ? claimed : null;
        return refusal == PresignedRefusal.None;
    }

    private static IReadOnlyDictionary<string, string> NoHeaders { get; } = new Dictionary<string, string>();

    private PresignedRefusal Judge(PresignedGrant claimed, string method, string url)
    {
        // Signing the parsed claim again and comparing whole URLs leaves no second spelling of the same claim.
        if (!IsSigned(claimed, url, _key) && !(_previousKey is { } previous && IsSigned(claimed, url, previous)))
        {
            return PresignedRefusal.BadSignature;
        }

        if (_time.GetUtcNow() >= claimed.Expires)
        {
            return PresignedRefusal.Expired;
        }

        return method == claimed.Method || (method == "HEAD" && claimed.Method == "GET") ? PresignedRefusal.None : PresignedRefusal.OtherMethod;
    }

    private static bool IsSigned(PresignedGrant claimed, string url, byte[] key)
    {
        var genuine = Sign(claimed.Method, claimed.Name, claimed.Length, claimed.Expires.ToUnixTimeSeconds(), key);
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(genuine), Encoding.UTF8.GetBytes(url));
    }

    private static PresignedGrant? Parse(string path, string query)
    {
        if (!path.StartsWith(BasePath, StringComparison.Ordinal) || !ObjectName.IsValid(path[BasePath.Length..]))
        {
            return null;
        }

        var name = path[BasePath.Length..];
        return query.Split('&') switch
        {
            ["?m=GET", var expires, _] when Number(expires, "exp=", MaxExpiry) is { } seconds =>
                new PresignedGrant("GET", name, null, DateTimeOffset.FromUnixTimeSeconds(seconds)),
            ["?m=PUT", var length, var expires, _] when Number(length, "len=", long.MaxValue) is { } bytes && Number(expires, "exp=", MaxExpiry) is { } seconds =>
                new PresignedGrant("PUT", name, bytes, DateTimeOffset.FromUnixTimeSeconds(seconds)),
            _ => null,
        };
    }

    private static readonly long MaxExpiry = DateTimeOffset.MaxValue.ToUnixTimeSeconds();

    private static long? Number(string pair, string key, long max) =>
        pair.StartsWith(key, StringComparison.Ordinal)
        && long.TryParse(pair.AsSpan(key.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
        && value <= max
            ? value
            : null;

    private long Expiry(TimeSpan validFor) => (_time.GetUtcNow() + validFor).ToUnixTimeSeconds();

    private static string Sign(string method, string name, long? length, long expires, byte[] key)
    {
        var claim = $"{Purpose}\n{method}\n{name}\n{length}\n{expires}";
        var signature = Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(claim)));
        var len = length is null ? "" : $"&len={length}";
        return $"{BasePath}{name}?m={method}{len}&exp={expires}&sig={signature}";
    }
}
