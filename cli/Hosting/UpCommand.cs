using System.CommandLine;
using FedServerless.Cli.Server;

namespace FedServerless.Cli.Hosting;

/// <summary><c>fed up</c>: a local host in the foreground.</summary>
internal static class UpCommand
{
    /// <summary>The port of a local host that was not told another.</summary>
    public const int DefaultPort = 7270;

    private const int MaxPort = 65_535;

    public static Command Create(Shell shell)
    {
        var data = new Option<string?>("--data") { Description = "The folder that keeps everything. Default: .fed/data in the clone, else ~/.fedserverless.", HelpName = "DIR" }.NotBlank();
        var port = new Option<int>("--port") { Description = "The port on the loopback interface; 0 for a free one.", HelpName = "N", DefaultValueFactory = _ => DefaultPort }.Within(0, MaxPort);
        var azurite = new Option<bool>("--azurite") { Description = "Start Azurite and keep everything there; needs Node.js." };
        var command = new Command("up", "Run a local host until Ctrl+C.") { data, port, azurite };
        command.SetAction((parsed, cancellationToken) =>
        {
            var folder = parsed.GetValue(data) is { } path ? new DataFolder(Path.GetFullPath(path, shell.CurrentFolder)) : DataFolder.Default(shell);
            return RunAsync(shell, new LocalHostOptions(folder, parsed.GetValue(port)) { Azurite = parsed.GetValue(azurite) ? LocalHostOptions.AzuriteIn(shell.GetRepository()) : null }, parsed.GetValue(data), cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(Shell shell, LocalHostOptions options, string? namedFolder, CancellationToken cancellationToken)
    {
        shell.Output.WriteLine($"starting the local host on {(options.Azurite is not null ? "Azurite" : "files")} in {options.Data.Path} …");
        await using var host = await LocalHost.StartAsync(shell, options, shell.Output.WriteLine, cancellationToken);
        var there = namedFolder is null ? "" : $" --data {namedFolder}";
        shell.Output.WriteLine();
        shell.Output.WriteLine($"  server        {host.Address.Url}");
        shell.Output.WriteLine($"  operator key  {options.Data.KeyFile}");
        shell.Output.WriteLine();
        shell.Output.WriteLine($"  enrol a device     ./fed enrol NAME{there}");
        shell.Output.WriteLine($"  start a run        ./fed run start RUN --model MODEL --architecture mlp:64-32-10 --rounds 20 --watch{there}");
        shell.Output.WriteLine("  stop the host      Ctrl+C");
        shell.Output.WriteLine();
        try
        {
            var exitCode = await host.Ended.WaitAsync(cancellationToken);
            throw host.Failed($"The local host ended by itself with code {exitCode}.");
        }
        catch (OperationCanceledException)
        {
            shell.Output.WriteLine("stopping the local host …");
            return ExitCodes.Success;
        }
    }
}
