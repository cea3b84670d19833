using System.Buffers.Text;
using System.Security.Cryptography;

namespace FedServerless.Local.Hosting;

/// <summary>A host's secrets, made at the first start and kept in files that only their owner can read.</summary>
/// <param name="OperatorKey">What operators send as a bearer token: 32 random bytes, base64url.</param>
/// <param name="Master">32 random bytes from which nonces and pre-signed URLs are derived.</param>
internal sealed record HostSecrets(string OperatorKey, byte[] Master)
{
    /// <summary>File of the operator's key, where the command line finds it.</summary>
    public const string OperatorKeyFile = "operator.key";

    /// <summary>File of the master secret.</summary>
    public const string MasterFile = "master.key";

    private const int SecretBytes = 32;

    /// <summary>Reads the secrets of a folder, making those it lacks. The caller holds the folder's lock.</summary>
    /// <exception cref="HostStartException">A file is damaged or readable by others.</exception>
    public static HostSecrets Load(string folder) => new(
        Base64Url.EncodeToString(LoadOne(Path.Combine(folder, OperatorKeyFile))), LoadOne(Path.Combine(folder, MasterFile)));

    /// <summary>A key for one purpose.</summary>
    public byte[] Derive(string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, Master, SecretBytes, info: System.Text.Encoding.UTF8.GetBytes(purpose));

    private static byte[] LoadOne(string path)
    {
        if (!File.Exists(path))
        {
            Create(path);
        }

        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
            if ((File.GetUnixFileMode(path) & Others) != 0)
            {
                throw new HostStartException($"'{path}' is a secret that others can read. Run: chmod 600 '{path}' (and make a new one if others may have read it: delete the file).");
            }
        }

        var text = File.ReadAllText(path).Trim();
        return Base64Url.IsValid(text) && Base64Url.DecodeFromChars(text) is { Length: SecretBytes } secret
            ? secret
            : throw new HostStartException($"'{path}' does not hold a secret of {SecretBytes} bytes. Restore it from a backup, or delete it to make a new one.");
    }

    // Under another name first, so that a crash leaves no half a secret.
    private static void Create(string path)
    {
        var fresh = path + ".new";
        File.Delete(fresh);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var file = new FileStream(fresh, options))
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes)) + "\n"));
            file.Flush(flushToDisk: true);
        }

        File.Move(fresh, path);
    }
}
