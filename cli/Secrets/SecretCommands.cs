using System.CommandLine;
using Azure.Identity;
using Azure.Security.KeyVault.Secrets;
using FedServerless.Cli.Hosting;
using FedServerless.Cli.Processes;
using FedServerless.Cli.Server;

namespace FedServerless.Cli.Secrets;

/// <summary><c>fed secrets</c>: the server's master secret.</summary>
internal static class SecretCommands
{
    public static Command Create(Shell shell) => new("secrets", "Make and rotate the server's secrets.") { Rotate(shell) };

    private static Command Rotate(Shell shell)
    {
        var data = new Option<string?>("--data") { Description = "The data folder of a local host, which must be stopped.", HelpName = "DIR" }.NotBlank();
        var vault = new Option<string?>("--vault") { Description = "The Key Vault of a deployment on Azure: https://NAME.vault.azure.net.", HelpName = "URL" }.NotBlank();
        var ifMissing = new Option<bool>("--if-missing") { Description = "Leave a secret that can be used alone; for scripts." };
        var wait = new Option<TimeSpan>("--wait")
        {
            Description = "How long to go on while the vault refuses: new roles take minutes. 90s, 15m.",
            HelpName = "TIME",
            CustomParser = result => Durations.Read(result, "--wait"),
        };
        var command = new Command("rotate", "Make a new secret; the one in use stays active as the previous one.") { data, vault, ifMissing, wait };
        command.Validators.Add(result =>
        {
            if ((result.GetValue(data) is null) == (result.GetValue(vault) is null))
            {
                result.AddError("say which secret: --data DIR for a local host, or --vault URL for a deployment on Azure.");
            }

            if (result.GetValue(vault) is null && (result.GetValue(ifMissing) || result.GetValue(wait) > TimeSpan.Zero))
            {
                result.AddError("--if-missing and --wait go with --vault: a local host makes its own first secret.");
            }
        });
        command.SetAction((parsed, cancellationToken) => parsed.GetValue(data) is { } folder
            ? RotateFilesAsync(shell, new DataFolder(Path.GetFullPath(folder, shell.CurrentFolder)), cancellationToken)
            : RotateVaultAsync(shell, parsed.GetValue(vault)!, parsed.GetValue(ifMissing), parsed.GetValue(wait), cancellationToken));
        return command;
    }

    // The host's own program does it, because it alone knows the lock and the files.
    private static async Task<int> RotateFilesAsync(Shell shell, DataFolder folder, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(folder.Path))
        {
            throw new CommandException($"There is no folder {folder.Path}. Name the data folder of a local host.");
        }

        var start = ChildProcess.Dotnet(HostProgram.Find(shell), "--data", folder.Path, "--rotate-secrets");
        var exitCode = await ChildProcess.RunAsync(start, shell.Output.WriteLine, cancellationToken);
        return exitCode == 0 ? ExitCodes.Success : ExitCodes.Failure;
    }

    private static async Task<int> RotateVaultAsync(Shell shell, string vault, bool ifMissing, TimeSpan wait, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(vault, UriKind.Absolute, out var url) || url.Scheme != Uri.UriSchemeHttps)
        {
            throw new CommandException($"--vault is '{vault}'; expected an address such as https://NAME.vault.azure.net.", ExitCodes.Usage);
        }

        // Whoever ran `azd up` or `az login`; nothing else on this machine is tried.
        var client = new SecretClient(url, new ChainedTokenCredential(new AzureDeveloperCliCredential(), new AzureCliCredential()));
        var rotation = new VaultRotation(client, shell.Time);
        var made = await rotation.RotateAsync(ifMissing, wait, () => shell.Error.WriteLine("The vault refuses; new roles take some minutes. Trying again …"), cancellationToken);
        shell.Output.WriteLine(made is null
            ? $"The vault has a '{VaultRotation.SecretName}' that can be used; nothing was made."
            : $"Version {made} of '{VaultRotation.SecretName}' is current; the one before it stays active. Hosts take it within 72 minutes.");
        return ExitCodes.Success;
    }
}
