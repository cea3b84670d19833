using System.Diagnostics;

namespace FedServerless.Cli.Tests.Fakes;

/// <summary>Where the clone and the local host's program are that this test program was built with.</summary>
internal static class RealHost
{
    public static string Repository { get; } = FindRepository();

    public static string Program { get; } = Path.Combine(Repository, "artifacts", "bin", "FedServerless.Local", Configuration, "FedServerless.Local.dll");

    /// <summary>Skips a test that needs Azurite where npm is missing.</summary>
    public static void RequireAzurite()
    {
        try
        {
            using var npm = Process.Start(new ProcessStartInfo("npm", "--version") { RedirectStandardOutput = true });
            npm!.WaitForExit();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("Azurite needs Node.js 20 or later with npm on the PATH; npm was not found.");
        }
    }

    /// <summary>A shell that <c>./fed</c> would make.</summary>
    public static TestShell CreateShell() => new TestShell().Set(Variables.Root, Repository).Set(Variables.Host, Program);

    private static string Configuration => Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));

    private static string FindRepository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "FedServerless.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The test program is outside of the clone.");
        }

        return folder;
    }
}
