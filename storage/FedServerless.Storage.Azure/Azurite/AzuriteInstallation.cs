using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;

namespace FedServerless.Storage.Azure.Azurite;

/// <summary>Azurite's pinned packages on disk.</summary>
public static class AzuriteInstallation
{
    // Holds the digest of the lock file that was installed; written last. (Times will not do: a checkout touches files.)
    private const string Marker = ".fed-installed";
    private static readonly TimeSpan PollForLock = TimeSpan.FromMilliseconds(200);

    /// <summary>Runs <c>npm ci</c> unless the packages stand as the lock file has them. Safe to call from several processes at once.</summary>
    /// <returns>The script that <c>node</c> runs.</returns>
    /// <exception cref="AzuriteUnavailableException">npm is not installed.</exception>
    /// <exception cref="InvalidOperationException">npm ran and failed; the message has its output.</exception>
    public static async Task<string> EnsureAsync(string folder, CancellationToken cancellationToken)
    {
        folder = Path.GetFullPath(folder);
        var script = Path.Combine(folder, "node_modules", "azurite", "dist", "src", "blob", "main.js");
        if (!IsCurrent(folder))
        {
            using var installing = await LockAsync(Path.Combine(folder, ".install.lock"), cancellationToken);
            if (!IsCurrent(folder))
            {
                await InstallAsync(folder, cancellationToken);
                await File.WriteAllTextAsync(Path.Combine(folder, "node_modules", Marker), LockDigest(folder), cancellationToken);
            }
        }

        return File.Exists(script) ? script : throw new InvalidOperationException($"npm ci did not bring '{script}'. Delete '{folder}/node_modules' and try again.");
    }

    private static bool IsCurrent(string folder)
    {
        var marker = Path.Combine(folder, "node_modules", Marker);
        return File.Exists(marker) && File.ReadAllText(marker) == LockDigest(folder);
    }

    private static string LockDigest(string folder)
    {
        var path = Path.Combine(folder, "package-lock.json");
        return File.Exists(path)
            ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)))
            : throw new InvalidOperationException($"'{path}' is missing: Azurite's version is pinned there.");
    }

    private static async Task<FileStream> LockAsync(string path, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(path))
            {
                await Task.Delay(PollForLock, cancellationToken);
            }
        }
    }

    private static async Task InstallAsync(string folder, CancellationToken cancellationToken)
    {
        var (file, first) = OperatingSystem.IsWindows() ? ("cmd", new[] { "/c", "npm" }) : ("npm", []);
        var start = new ProcessStartInfo(file, [.. first, "ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var npm = Process.Start(start)!;
            var output = npm.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = npm.StandardError.ReadToEndAsync(cancellationToken);
            await npm.WaitForExitAsync(cancellationToken);
            if (npm.ExitCode != 0)
            {
                throw new InvalidOperationException($"npm ci in '{folder}' failed ({npm.ExitCode}):\n{await output}{await errors}");
            }
        }
        catch (Win32Exception e)
        {
            throw new AzuriteUnavailableException("Azurite needs Node.js 20 or later with npm on the PATH; npm was not found.", e);
        }
    }
}
