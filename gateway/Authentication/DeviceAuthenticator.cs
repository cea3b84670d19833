using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using FedServerless.Activities.Clients;
using FedServerless.Gateway.Http;
using FedServerless.Wire;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Authentication;

/// <summary>The device that signed a request, and the evidence.</summary>
/// <param name="Client">Its id; empty while it enrols.</param>
/// <param name="Population">Where it belongs; empty while it enrols.</param>
/// <param name="Key">The key that the proof was checked with.</param>
/// <param name="Proof">The compact JWS, kept with what it signed.</param>
public sealed record DeviceCaller(string Client, string Population, DeviceKey Key, string Proof)
{
    /// <summary>Why it is in quarantine, or null.</summary>
    public string? Quarantine { get; init; }
}

/// <summary>Checks device proofs in the order that docs/concepts/device-authentication.md gives.</summary>
public sealed class DeviceAuthenticator(ClientRegistry clients, NonceIssuer nonces, GatewayOptions options, TimeProvider time)
{
    /// <summary>Longest body of an enrolment, which is read before anything is known of the sender.</summary>
    public const int MaxEnrolBodyBytes = 4096;

    /// <summary>A nonce for the next request.</summary>
    public string FreshNonce() => nonces.Fresh();

    /// <summary>Steps 1 to 3: the proof parses, its client is enrolled, and the signature is that client's.</summary>
    /// <exception cref="ProblemException">401 or 403.</exception>
    internal async Task<IdentifiedProof> IdentifyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var proof = Parse(request, enrols: false);
        var known = await clients.FindKnownAsync(proof.Client!, cancellationToken)
            ?? throw new ProblemException(Problems.Unauthenticated("No client of this name is enrolled here."));
        var isSound = IsSound(known, proof);
        if (!isSound && known.FromMemory)
        {
            // It may have enrolled anew through another host a moment ago: look once at what is stored.
            await clients.FindAsync(proof.Client!, cancellationToken);
            known = await clients.FindKnownAsync(proof.Client!, cancellationToken) ?? known;
            isSound = IsSound(known, proof);
        }

        if (isSound)
        {
            return new IdentifiedProof(proof, known.Document, known.Key);
        }

        throw new ProblemException(MayAsk(known.Document)
            ? Problems.Unauthenticated("The signature is not that of the client's key.")
            : Problems.Revoked(known.Document.Client));
    }

    private static bool IsSound(KnownClient known, DeviceProof proof) =>
        MayAsk(known.Document) && known.Key.Verify(proof.Signed, proof.Signature);

    // A device in quarantine may go on asking: its check-ins are answered with patience, and it notices its release by itself.
    private static bool MayAsk(ClientDocument client) => client.State is ClientStates.Enrolled or ClientStates.Quarantined;

    /// <summary>Steps 4 to 6: the proof is of this very request, of now, and of this deployment.</summary>
    /// <exception cref="ProblemException">401.</exception>
    internal DeviceCaller Check(HttpRequest request, IdentifiedProof identified, byte[] body)
    {
        CheckRequest(request, identified.Proof.Payload, body);
        return new DeviceCaller(identified.Client.Client, identified.Client.Population, identified.Key, identified.Proof.Text)
        {
            Quarantine = identified.Client.State == ClientStates.Quarantined ? identified.Client.Reason ?? "no reason was given" : null,
        };
    }

    /// <summary>The same for an enrolment, whose key is in its body.</summary>
    /// <exception cref="ProblemException">400 or 401.</exception>
    internal DeviceCaller CheckEnrolment(HttpRequest request, byte[] body)
    {
        var proof = Parse(request, enrols: true);
        var key = ReadKey(body);
        if (!key.Verify(proof.Signed, proof.Signature))
        {
            throw new ProblemException(Problems.Unauthenticated("The signature is not that of the key in the body."));
        }

        CheckRequest(request, proof.Payload, body);
        return new DeviceCaller("", "", key, proof.Text);
    }

    private static DeviceProof Parse(HttpRequest request, bool enrols) =>
        DeviceProof.TryParse(request.Headers.Authorization, enrols, out var problem)
        ?? throw new ProblemException(Problems.Unauthenticated(problem));

    private static DeviceKey ReadKey(byte[] body)
    {
        EnrolRequest? enrol = null;
        try
        {
            enrol = JsonSerializer.Deserialize(body, WireJson.Default.EnrolRequest);
        }
        catch (JsonException)
        {
            // Falls through to the refusal that says what is expected.
        }

        return DeviceKey.TryCreate(enrol?.X, enrol?.Y) ?? throw new ProblemException(Problems.Invalid(
            "The body of an enrolment is {code, x, y}.",
            [new Problem("x, y", null, "a point on P-256: two coordinates of 32 bytes, base64url without padding")]));
    }

    private void CheckRequest(HttpRequest request, ProofPayload payload, byte[] body)
    {
        if (payload.Htm != request.Method)
        {
            throw new ProblemException(Problems.Unauthenticated("htm is not this request's method."));
        }

        if (!IsThisUrl(request, payload.Htu))
        {
            throw new ProblemException(Problems.Unauthenticated("htu is not this request's URL."));
        }

        if (payload.Bh != Base64Url.EncodeToString(SHA256.HashData(body)))
        {
            throw new ProblemException(Problems.Unauthenticated("bh is not the hash of this request's body."));
        }

        var now = time.GetUtcNow();
        var earliest = now.ToUnixTimeSeconds() - DeviceApi.MaxClockSkewSeconds;
        if (payload.Iat < earliest || payload.Iat > earliest + (2 * DeviceApi.MaxClockSkewSeconds))
        {
            throw new ProblemException(Problems.Clock(now));
        }

        if (!nonces.IsFresh(payload.Nonce))
        {
            throw new ProblemException(Problems.Nonce());
        }
    }

    private bool IsThisUrl(HttpRequest request, string htu)
    {
        if (!Uri.TryCreate(htu, UriKind.Absolute, out var claimed) || claimed.Scheme is not ("http" or "https") || claimed.UserInfo.Length > 0)
        {
            return false;
        }

        var origin = $"{claimed.Scheme}://{claimed.Authority}";
        var target = request.PathBase.ToUriComponent() + request.Path.ToUriComponent() + request.QueryString.ToUriComponent();
        if (options.PublicUrl is { } publicUrl)
        {
            return claimed.Scheme == publicUrl.Scheme
                && string.Equals(claimed.Authority, publicUrl.Authority, StringComparison.OrdinalIgnoreCase)
                && PathOf(htu) == publicUrl.AbsolutePath.TrimEnd('/') + target;
        }

        return Uri.TryCreate($"{claimed.Scheme}://{request.Host.ToUriComponent()}", UriKind.Absolute, out var here)
            && string.Equals($"{here.Scheme}://{here.Authority}", origin, StringComparison.OrdinalIgnoreCase)
            && PathOf(htu) == target;
    }

    // Path and query as the device wrote them: Uri would tidy them up, and what was signed is the text.
    private static string PathOf(string url)
    {
        var path = url.IndexOf('/', url.IndexOf("://", StringComparison.Ordinal) + 3);
        return path < 0 ? "" : url[path..];
    }
}

/// <summary>A proof whose signature is that of an enrolled client.</summary>
internal sealed record IdentifiedProof(DeviceProof Proof, ClientDocument Client, DeviceKey Key);
