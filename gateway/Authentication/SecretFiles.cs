using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace FedServerless.Gateway.Authentication;

/// <summary>A host's secrets in a folder: made at the first start, in files that only their owner can read.</summary>
/// <param name="OperatorKey">What operators send as a bearer token: 32 random bytes, base64url.</param>
/// <param name="Ring">The master secrets.</param>
public sealed record SecretFiles(string OperatorKey, SecretRing Ring)
{
    /// <summary>File of the operator's key, where the command line finds it.</summary>
    public const string OperatorKeyFile = "operator.key";

    /// <summary>File of the current master secret.</summary>
    public const string MasterFile = "master.key";

    /// <summary>File of the master secret before it; absent until the first rotation.</summary>
    public const string PreviousMasterFile = "master.previous.key";

    private const int SecretBytes = 32;

    /// <summary>Reads the secrets of a folder, making those it lacks. The caller sees to it that nobody else does so at once.</summary>
    /// <exception cref="SecretFileException">A file is damaged or readable by others.</exception>
    public static SecretFiles Load(string folder)
    {
        var operatorKey = Base64Url.EncodeToString(ReadOrCreate(Path.Combine(folder, OperatorKeyFile)));
        var current = Master(ReadOrCreate(Path.Combine(folder, MasterFile)));
        var previousFile = Path.Combine(folder, PreviousMasterFile);
        var previous = File.Exists(previousFile) ? Master(Read(previousFile)) : null;

        // A rotation that was cut short leaves the same secret under both names.
        return new SecretFiles(operatorKey, new SecretRing(current, previous?.Kid == current.Kid ? null : previous));
    }

    /// <summary>
    /// Makes a new master secret; the one in use becomes the previous one, and the one before that is gone. A host reads the files when
    /// it starts, so none may be running on the folder. It may be repeated after a crash at any line.
    /// </summary>
    /// <returns>The new ring.</returns>
    /// <exception cref="SecretFileException">A file is damaged or readable by others; nothing was changed.</exception>
    public static SecretRing Rotate(string folder)
    {
        Load(folder);
        var current = Path.Combine(folder, MasterFile);
        Write(Path.Combine(folder, PreviousMasterFile), Read(current));
        Write(current, RandomNumberGenerator.GetBytes(SecretBytes));
        return Load(folder).Ring;
    }

    private static MasterSecret Master(byte[] secret) =>
        new(Base64Url.EncodeToString(HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 6, info: "fed kid v1"u8.ToArray())), secret);

    private static byte[] ReadOrCreate(string path)
    {
        if (!File.Exists(path))
        {
            Write(path, RandomNumberGenerator.GetBytes(SecretBytes));
        }

        return Read(path);
    }

    private static byte[] Read(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
            if ((File.GetUnixFileMode(path) & Others) != 0)
            {
                throw new SecretFileException($"'{path}' is a secret that others can read. Run: chmod 600 '{path}' (and make a new one if others may have read it: delete the file).");
            }
        }

        var text = File.ReadAllText(path).Trim();
        return Base64Url.IsValid(text) && Base64Url.DecodeFromChars(text) is { Length: SecretBytes } secret
            ? secret
            : throw new SecretFileException($"'{path}' does not hold a secret of {SecretBytes} bytes. Restore it from a backup, or delete it to make a new one.");
    }

    // Under another name first, so that a crash leaves no half a secret.
    private static void Write(string path, byte[] secret)
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
            file.Write(Encoding.ASCII.GetBytes(Base64Url.EncodeToString(secret) + "\n"));
            file.Flush(flushToDisk: true);
        }

        File.Move(fresh, path, overwrite: true);
    }
}

/// <summary>A file of secrets cannot be used; the message says which, why and what to do.</summary>
public sealed class SecretFileException(string message) : Exception(message);
