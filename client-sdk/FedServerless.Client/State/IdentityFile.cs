using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FedServerless.Wire;

namespace FedServerless.Client.State;

/// <summary>
/// The identity on disk. A new key is stored before it is shown to the server, so that an answer lost on the way back leaves a
/// device that can ask again with the same key.
/// </summary>
internal sealed class IdentityFile(StateFolder folder)
{
    private readonly string _enrolled = folder.File("identity.json");
    private readonly string _pending = folder.File("enrolling.json");

    public Identity? Enrolled => Read(_enrolled);

    /// <summary>The identity to enrol with <paramref name="code"/>: the one begun earlier with the same code, or a new key.</summary>
    public Identity Begin(EnrolmentCode code)
    {
        var hash = HashOf(code);
        if (Read(_pending) is { } begun && begun.CodeHash == hash)
        {
            return begun;
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var identity = new Identity(
            Identity.CurrentVersion, code.Server.ToString(), code.Client, null, hash, key.ExportPkcs8PrivateKeyPem());
        Write(_pending, identity);
        return identity;
    }

    /// <summary>The server has taken the key: from now on this is who the device is.</summary>
    public void Complete(Identity identity)
    {
        Write(_enrolled, identity);
        File.Delete(_pending);
    }

    public static string HashOf(EnrolmentCode code) => Digest.Of(Encoding.UTF8.GetBytes(code.ToString())).ToString();

    private static Identity? Read(string path)
    {
        Identity? identity;
        try
        {
            var content = StateFolder.ReadPrivate(path);
            if (content is null)
            {
                return null;
            }

            identity = JsonSerializer.Deserialize(content, StateJson.Default.Identity);
        }
        catch (JsonException problem)
        {
            throw Damaged(path, problem);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new FedClientException($"'{path}' cannot be read: {problem.Message}", problem);
        }

        if (identity is null || identity.Version != Identity.CurrentVersion)
        {
            throw new FedClientException(
                $"'{path}' has format {identity?.Version}, this SDK reads {Identity.CurrentVersion}. Use the SDK that wrote it, or a newer one.");
        }

        return Uri.TryCreate(identity.Server, UriKind.Absolute, out var server) && server.Scheme is "http" or "https"
            ? identity
            : throw Damaged(path, null);
    }

    private static FedClientException Damaged(string path, Exception? problem) =>
        new($"'{path}' is damaged. Delete it and enrol again with a new code.", problem);

    private static void Write(string path, Identity identity)
    {
        try
        {
            StateFolder.WriteWhole(path, JsonSerializer.SerializeToUtf8Bytes(identity, StateJson.Default.Identity));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new FedClientException($"'{path}' cannot be written: {problem.Message} Make room or choose another state folder; the same code still works.", problem);
        }
    }
}
