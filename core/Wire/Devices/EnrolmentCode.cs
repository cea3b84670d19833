using System.Buffers.Text;
using System.Text;

namespace FedServerless.Wire;

/// <summary>
/// What an operator hands to a device, once: <c>fed1.{base64url of "server\nclient\nsecret"}</c>. The secret is 16 random bytes, base64url;
/// the server stores only its hash.
/// </summary>
/// <param name="Server">The server's base address, without <see cref="DeviceApi.Prefix"/>.</param>
/// <param name="Client">The client id that the code enrols.</param>
/// <param name="Secret">The one-time secret, base64url.</param>
public sealed record EnrolmentCode(Uri Server, string Client, string Secret)
{
    private const string Prefix = "fed1.";

    /// <summary>Reads a code; false for anything that is not one.</summary>
    public static bool TryParse(string? text, out EnrolmentCode? code)
    {
        code = null;
        if (text is null || text.Length > 4096 || !text.StartsWith(Prefix, StringComparison.Ordinal) || !Base64Url.IsValid(text.AsSpan(Prefix.Length)))
        {
            return false;
        }

        var fields = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text.AsSpan(Prefix.Length))).Split('\n');
        if (fields.Length != 3 || !Uri.TryCreate(fields[0], UriKind.Absolute, out var server) || server.Scheme is not ("http" or "https")
            || !Identifiers.IsValid(fields[1]) || fields[2].Length == 0)
        {
            return false;
        }

        code = new EnrolmentCode(server, fields[1], fields[2]);
        return true;
    }

    /// <summary>The code as text.</summary>
    public override string ToString() => Prefix + Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"{Server}\n{Client}\n{Secret}"));
}
