using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Limits;

/// <summary>Where a request comes from.</summary>
/// <param name="Key">What limits go by: an IPv4 address, or the /64 of an IPv6 address, which one subscriber has whole.</param>
/// <param name="Text">For the audit log.</param>
public readonly record struct SenderAddress(UInt128 Key, string Text)
{
    /// <summary>For requests that tell no address: they share one.</summary>
    public static readonly SenderAddress Unknown = new(0, "unknown");

    /// <summary>
    /// The sender as far as it can be trusted: the connection's, or the entry of <c>X-Forwarded-For</c> that the outermost of
    /// <paramref name="trustedForwarders"/> proxies wrote. With fewer entries than proxies the request came around them.
    /// </summary>
    public static SenderAddress Of(HttpContext http, int trustedForwarders)
    {
        if (trustedForwarders > 0)
        {
            var entries = http.Request.Headers["X-Forwarded-For"].SelectMany(line => (line ?? "").Split(',')).ToList();
            if (entries.Count >= trustedForwarders && TryParse(entries[^trustedForwarders].Trim(), out var address))
            {
                return Of(address);
            }
        }

        return http.Connection.RemoteIpAddress is { } remote ? Of(remote) : Unknown;
    }

    /// <summary>The address as limits see it.</summary>
    public static SenderAddress Of(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            // As IPv6 writes it, ::ffff:a.b.c.d: no /64 has this key, because a /64 ends in zeros.
            bytes[10] = bytes[11] = 0xff;
            address.TryWriteBytes(bytes[12..], out _);
            return new SenderAddress(BinaryPrimitives.ReadUInt128BigEndian(bytes), address.ToString());
        }

        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new SenderAddress(BinaryPrimitives.ReadUInt128BigEndian(bytes), $"{new IPAddress(bytes)}/64");
    }

    // Azure writes the port behind: 203.0.113.7:51234, [2001:db8::1]:51234.
    private static bool TryParse(string text, out IPAddress address)
    {
        if (IPAddress.TryParse(text, out address!))
        {
            return true;
        }

        var isEndPoint = IPEndPoint.TryParse(text, out var endPoint);
        address = endPoint?.Address!;
        return isEndPoint;
    }
}
