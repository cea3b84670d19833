using FedServerless.Wire;

namespace FedServerless.Client.Http;

/// <summary>Where a server may send its devices: its own origin, and pre-signed URLs that are no less safe than itself.</summary>
internal sealed class ServerUrls(Uri server)
{
    /// <summary>Longest pre-signed URL, in characters.</summary>
    public const int MaxUrlLength = 8192;

    private readonly string _prefix = server.GetLeftPart(UriPartial.Authority) + server.AbsolutePath.TrimEnd('/') + DeviceApi.Prefix + "/";
    private readonly Uri _origin = new(server.GetLeftPart(UriPartial.Authority));

    /// <summary>A route of the API.</summary>
    public Uri Api(string route) => new(_prefix + route);

    /// <summary>Reads a URL the server gave: absolute, or relative to the server's origin.</summary>
    /// <exception cref="GiveUpException">It leads where a device must not follow.</exception>
    public Uri PreSigned(string url)
    {
        if (url.Length is > 0 and <= MaxUrlLength)
        {
            if (url[0] == '/' && Uri.TryCreate(_origin, url, out var relative) && SameOrigin(relative))
            {
                return relative;
            }

            if (IsHttp(url) && Uri.TryCreate(url, UriKind.Absolute, out var absolute) && absolute.UserInfo.Length == 0
                && (absolute.Scheme == Uri.UriSchemeHttps || _origin.Scheme == Uri.UriSchemeHttp))
            {
                return absolute;
            }
        }

        throw new GiveUpException(
            $"the server gave a URL that is neither a path of its own nor an absolute {(_origin.Scheme == Uri.UriSchemeHttp ? "http or https" : "https")} address");
    }

    // "//elsewhere" and "/\elsewhere" are legal relative references that change the host.
    private bool SameOrigin(Uri url) =>
        url.Scheme == _origin.Scheme && url.Authority == _origin.Authority && url.UserInfo.Length == 0;

    private static bool IsHttp(string url) =>
        url.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || url.StartsWith("http://", StringComparison.OrdinalIgnoreCase);
}
