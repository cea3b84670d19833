using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using FedServerless.Gateway.Http;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Limits;

/// <summary>
/// What a request must pass before anything is computed for it, and what it is charged for. An address pays in advance, before
/// any signature is looked at, and gets it back when the proof holds; then the device or the operator pays. Nobody pays for
/// another: a device is charged for nothing that it did not sign.
/// </summary>
public sealed class RequestGate
{
    private const int TrackedOperators = 1024;

    private readonly RequestLimits _limits;

    private readonly TokenBuckets _addresses;

    private readonly TokenBuckets _devices;

    private readonly TokenBuckets _operators;

    private long _limited;

    /// <summary>Allocates all it will ever need.</summary>
    public RequestGate(RequestLimits limits, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(limits);
        _limits = limits;
        _addresses = new TokenBuckets(limits.Address, limits.TrackedSenders, time);
        _devices = new TokenBuckets(limits.Device, limits.TrackedSenders, time);
        _operators = new TokenBuckets(limits.Operator, TrackedOperators, time);
    }

    /// <summary>Requests refused with 429 since the host began.</summary>
    public long Limited => Interlocked.Read(ref _limited);

    /// <summary>Where a request comes from.</summary>
    internal SenderAddress Sender(HttpContext http) => SenderAddress.Of(http, _limits.TrustedForwarders);

    /// <summary>Charges the address for one request.</summary>
    /// <exception cref="ProblemException">414 or 431: the request is out of shape. 429: the address is out of tokens.</exception>
    internal void Enter(HttpRequest request, SenderAddress sender)
    {
        if (!_addresses.TryTake(sender.Key, out var wait))
        {
            throw TooMany(wait, "This address sent too many requests that prove nothing.");
        }

        CheckShape(request);
    }

    /// <summary>The proof holds: the address gets back what it paid, and the device pays.</summary>
    /// <exception cref="ProblemException">429.</exception>
    internal void AdmitDevice(SenderAddress sender, string client)
    {
        _addresses.Charge(sender.Key, -1);
        Take(_devices, client, "This device sent too many requests.");
    }

    /// <summary>The operator is known: the address gets back what it paid, and the operator pays.</summary>
    /// <exception cref="ProblemException">429.</exception>
    internal void AdmitOperator(SenderAddress sender, string id)
    {
        _addresses.Charge(sender.Key, -1);
        Take(_operators, id, "This operator sent too many requests.");
    }

    /// <summary>A proof, key or code was not what it should be.</summary>
    internal void Refuse(SenderAddress sender) => _addresses.Charge(sender.Key, _limits.FailureCost - 1);

    private void Take(TokenBuckets buckets, string name, string detail)
    {
        // Names are the callers' own: a keyed place in the table, and 128 bits that nobody collides with by accident or at will.
        var key = BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
        if (!buckets.TryTake(key, out var wait))
        {
            throw TooMany(wait, detail);
        }
    }

    private ProblemException TooMany(TimeSpan wait, string detail)
    {
        Interlocked.Increment(ref _limited);
        var seconds = (int)Math.Clamp(Math.Ceiling(wait.TotalSeconds), 1, 3600);
        return new(Problems.TooMany($"{detail} Repeat this in {seconds} s.")) { RetryAfterSeconds = seconds };
    }

    private static void CheckShape(HttpRequest request)
    {
        if (request.Path.Value?.Length + request.QueryString.Value?.Length > RequestLimits.MaxUrlLength)
        {
            throw new ProblemException(Problems.UrlTooLong(RequestLimits.MaxUrlLength));
        }

        var (count, length) = (0, 0);
        foreach (var (name, values) in request.Headers)
        {
            foreach (var value in values)
            {
                count++;
                length += name.Length + (value?.Length ?? 0);
            }
        }

        if (count > RequestLimits.MaxHeaders || length > RequestLimits.MaxHeadersLength)
        {
            throw new ProblemException(Problems.HeadersTooLarge(RequestLimits.MaxHeaders, RequestLimits.MaxHeadersLength));
        }
    }
}
