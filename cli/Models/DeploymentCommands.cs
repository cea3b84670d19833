using System.CommandLine;
using System.Globalization;
using FedServerless.Model;

namespace FedServerless.Cli.Models;

/// <summary><c>fed model prune</c> and <c>quantise</c>: what a trained model becomes before it is deployed. Files only, no server.</summary>
internal static class DeploymentCommands
{
    public static Command Prune(Shell shell)
    {
        var (file, output) = Arguments();
        var share = new Option<double>("--share") { Description = "Share of the weights to zero, the smallest ones: 0.5 for half.", HelpName = "X", Required = true };
        var command = new Command("prune", "Zero a downloaded model's smallest weights.") { file, output, share };
        command.SetAction(parsed => Run(shell, () =>
        {
            var model = Read(shell, parsed.GetRequiredValue(file));
            var wanted = parsed.GetRequiredValue(share);
            if (!(wanted is >= 0 and < 1))
            {
                throw new CommandException($"--share is {wanted.ToString(CultureInfo.InvariantCulture)}; expected 0 or more, below 1.", ExitCodes.Usage);
            }

            var (zero, weights) = ModelPruning.Prune(model, wanted);
            var bytes = ModelStateFile.ToBytes(model);
            Write(shell, parsed.GetRequiredValue(output), bytes);
            shell.Output.WriteLine($"{zero} of {weights} weights are zero. The file is as long as before, and smaller once compressed.");
        }));
        return command;
    }

    public static Command Quantise(Shell shell)
    {
        var (file, output) = Arguments();
        var command = new Command("quantise", "Write a downloaded model's weights as bytes with a scale for each row: about a quarter of the size.") { file, output };
        command.SetAction(parsed => Run(shell, () =>
        {
            var model = Read(shell, parsed.GetRequiredValue(file));
            using var quantised = new MemoryStream();
            QuantisedModelFile.Write(model, quantised);
            Write(shell, parsed.GetRequiredValue(output), quantised.ToArray());
            shell.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{quantised.Length} bytes; {ModelStateFile.ToBytes(model).Length} before. A model for deployment: it cannot be trained on."));
        }));
        return command;
    }

    private static (Argument<string> File, Option<string> Output) Arguments() => (
        new Argument<string>("file") { Description = "A model as fed model get -o FILE writes it." },
        new Option<string>("--output", "-o") { Description = "Where the result goes.", HelpName = "FILE", Required = true });

    private static int Run(Shell shell, Action work)
    {
        try
        {
            work();
            return ExitCodes.Success;
        }
        catch (CommandException problem)
        {
            shell.Error.WriteLine(problem.Message);
            return problem.ExitCode;
        }
    }

    private static ModelState Read(Shell shell, string file)
    {
        var path = Path.GetFullPath(file, shell.CurrentFolder);
        try
        {
            return ModelStateFile.Read(File.ReadAllBytes(path));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new CommandException($"{path} cannot be read as a model: {problem.Message}");
        }
    }

    private static void Write(Shell shell, string file, byte[] bytes)
    {
        var path = Path.GetFullPath(file, shell.CurrentFolder);
        try
        {
            File.WriteAllBytes(path, bytes);
            shell.Output.WriteLine($"written to {path}");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{path} cannot be written: {problem.Message}");
        }
    }
}
