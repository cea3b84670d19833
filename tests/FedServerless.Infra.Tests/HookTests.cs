using System.Diagnostics;
using System.Xml.Linq;
using FedServerless.Testing;

namespace FedServerless.Infra.Tests;

/// <summary>The hooks' shell scripts, run in a folder of their own with stand-ins for what they call.</summary>
public sealed class HookTests : IDisposable
{
    private const string Id = "11111111-2222-3333-4444-555555555555";
    private readonly string _clone = Directory.CreateTempSubdirectory("fed-hooks-").FullName;

    public HookTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "These are the scripts for other systems.");
        Directory.CreateDirectory(Path.Combine(_clone, "infra", "hooks"));
        Directory.CreateDirectory(Path.Combine(_clone, "bin"));
        foreach (var file in Directory.EnumerateFiles(RepositoryRoot.Combine("infra", "hooks")))
        {
            File.Copy(file, Path.Combine(_clone, "infra", "hooks", Path.GetFileName(file)));
        }

        File.Copy(RepositoryRoot.Combine("local.settings.sample.json"), Path.Combine(_clone, "local.settings.sample.json"));
    }

    public void Dispose() => Directory.Delete(_clone, recursive: true);

    [Theory]
    [InlineData(null, "scheduler")]
    [InlineData("scheduler", "scheduler")]
    [InlineData("storage", "storage")]
    public void Prepackage_Backend_IsWhatTheProjectReads(string? backend, string written)
    {
        Assert.Equal(0, Run("prepackage.sh", ("DURABLE_BACKEND", backend)).ExitCode);

        Assert.Equal(written, XDocument.Load(Path.Combine(_clone, ".fed", "backend.props")).Descendants("FedDurableBackend").Single().Value);
    }

    [Fact]
    public void Prepackage_UnknownBackend_IsRefusedAndNothingWritten()
    {
        var (exitCode, output) = Run("prepackage.sh", ("DURABLE_BACKEND", "netherite"));

        Assert.Equal(1, exitCode);
        Assert.Contains("'netherite'; expected scheduler or storage", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_clone, ".fed")));
    }

    [Theory]
    [InlineData(null, 1)]
    [InlineData(Id, 0)]
    public void Preprovision_WithoutRegistration_SaysHowToMakeOne(string? audience, int exitCode)
    {
        var (code, output) = Run("preprovision.sh", ("FED_OPERATOR_AUDIENCE", audience));

        Assert.Equal(exitCode, code);
        Assert.Equal(exitCode == 1, output.Contains("register-operators.sh", StringComparison.Ordinal));
    }

    [Fact]
    public void Postprovision_Secret_IsMadeIfThereIsNone_WithTimeForRolesToBeKnown()
    {
        Script("fed", "echo \"fed $*\" >>log");

        Assert.Equal(0, Run("postprovision.sh", ("FED_VAULT_URI", "https://kv.vault.azure.net/"), ("AZURE_PRINCIPAL_ID", Id)).ExitCode);
        Assert.Equal(["fed secrets rotate --if-missing --wait 10m --vault https://kv.vault.azure.net/"], Log());
    }

    [Fact]
    public void Postprovision_VaultRefuses_FailsAndSaysHowToTryAgain()
    {
        Script("fed", "exit 1");

        var (exitCode, output) = Run("postprovision.sh", ("FED_VAULT_URI", "https://kv.vault.azure.net/"), ("AZURE_PRINCIPAL_ID", Id));

        Assert.Equal(1, exitCode);
        Assert.Contains("azd hooks run postprovision", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Postprovision_NobodyMayWriteToTheVault_SaysWhoMust()
    {
        Script("fed", "exit 1");

        var (exitCode, output) = Run("postprovision.sh", ("FED_VAULT_URI", "https://kv.vault.azure.net/"), ("AZURE_PRINCIPAL_ID", null));

        Assert.Equal(0, exitCode);
        Assert.Contains("fed secrets rotate --if-missing --vault https://kv.vault.azure.net/", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Postprovision_LocalSettings_AreMadeOnceFromTheSample()
    {
        Script("fed", "exit 0");
        var path = Path.Combine(_clone, "local.settings.json");
        (string, string?)[] environment = [("FED_VAULT_URI", "https://kv.vault.azure.net/"), ("AZURE_PRINCIPAL_ID", Id)];

        Run("postprovision.sh", environment);
        Assert.Equal(File.ReadAllText(Path.Combine(_clone, "local.settings.sample.json")), File.ReadAllText(path));

        File.WriteAllText(path, "mine");
        Run("postprovision.sh", environment);
        Assert.Equal("mine", File.ReadAllText(path));
    }

    [Fact]
    public void RegisterOperators_Twice_RegistersAndAssignsOnce()
    {
        // A directory of one application: what `az` is asked for is there once it was made.
        Script("bin/az", """
            here="${0%/*}/../state"; mkdir -p "$here"; echo "az $*" >>"$here/../log"
            case "$*" in
              "ad app list"*) test ! -f "$here/app" || echo app-id ;;
              "ad app create"*) touch "$here/app"; echo app-id ;;
              "ad app show"*"--query id"*) echo object-id ;;
              "ad app show"*appRoles*) echo role-id ;;
              "ad sp list"*) test ! -f "$here/sp" || echo sp-id ;;
              "ad sp create"*) touch "$here/sp"; echo sp-id ;;
              "ad signed-in-user show"*) echo me ;;
              "rest --method GET"*) if [ -f "$here/assigned" ]; then echo 1; else echo 0; fi ;;
              "rest --method POST"*) touch "$here/assigned" ;;
            esac
            """);
        Script("bin/azd", "echo \"azd $*\" >>\"${0%/*}/../log\"");

        Assert.Equal(0, Run("register-operators.sh", ("AZURE_ENV_NAME", "test")).ExitCode);
        Assert.Equal(0, Run("register-operators.sh", ("AZURE_ENV_NAME", "test")).ExitCode);

        Assert.Single(Log(), line => line.StartsWith("az ad app create --display-name FedServerless test", StringComparison.Ordinal));
        Assert.Single(Log(), line => line.StartsWith("az ad sp create", StringComparison.Ordinal));
        Assert.Single(Log(), line => line.StartsWith("az rest --method POST", StringComparison.Ordinal));
        Assert.Equal(2, Log().Count(line => line == "azd env set FED_OPERATOR_AUDIENCE app-id"));
    }

    private string[] Log() => File.Exists(Path.Combine(_clone, "log")) ? File.ReadAllLines(Path.Combine(_clone, "log")) : [];

    private void Script(string path, string body)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        path = Path.Combine(_clone, path);
        File.WriteAllText(path, $"#!/bin/sh\n{body.ReplaceLineEndings("\n")}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    private (int ExitCode, string Output) Run(string hook, params (string Name, string? Value)[] environment)
    {
        var start = new ProcessStartInfo("/bin/sh", [Path.Combine(_clone, "infra", "hooks", hook)])
        {
            WorkingDirectory = _clone,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["PATH"] = $"{Path.Combine(_clone, "bin")}:{Environment.GetEnvironmentVariable("PATH")}";
        foreach (var (name, value) in environment)
        {
            start.Environment.Remove(name);
            if (value is not null)
            {
                start.Environment[name] = value;
            }
        }

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.GetAwaiter().GetResult());
    }
}
