using System.CommandLine;
using System.Globalization;
using FedServerless.Cli.Server;
using FedServerless.Wire;

namespace FedServerless.Cli.Models;

/// <summary><c>fed model</c>: versions in and out.</summary>
internal static class ModelCommands
{
    public static Command Create(Shell shell) => new("model", "List, get, put, roll back, prune and quantise models.") { List(shell), Get(shell), Put(shell), RollBack(shell), DeploymentCommands.Prune(shell), DeploymentCommands.Quantise(shell) };

    private static Command List(Shell shell)
    {
        var model = new Argument<string?>("model") { Description = "Its versions; without it, every model and the version it serves.", Arity = ArgumentArity.ZeroOrOne };
        return new ServerOptions(shell).Command("list", "List models, or a model's versions.", [model], async (parsed, server, answer, token) =>
        {
            var name = parsed.GetValue(model);
            var versions = name is null ? await server.ListModelsAsync(token) : await server.ListVersionsAsync(name, token);
            return answer.Write(versions, WireJson.Default.ListingVersionView, listing => answer.WriteTable(
                "No model yet. A run with --architecture makes one, and so does: fed model put MODEL FILE",
                ["model", "version", "served", "updates", "bytes", "sha-256"],
                listing.Items.Select(version => (IReadOnlyList<string?>)
                [
                    version.Model, version.Version, version.Current ? "yes" : "", $"{version.Accepted}",
                    version.Weights.Bytes.ToString("N0", CultureInfo.InvariantCulture), $"{version.Weights.Digest}"[..16],
                ])));
        });
    }

    private static Command Get(Shell shell)
    {
        var model = new Argument<string>("model") { Description = "The model." };
        var version = new Option<string?>("--version") { Description = "The version. Default: the one it serves.", HelpName = "V" };
        var output = new Option<string?>("--output", "-o") { Description = "Download the file to here.", HelpName = "FILE" };
        return new ServerOptions(shell).Command("get", "Show a version of a model, or download it.", [model, version, output], async (parsed, server, answer, token) =>
        {
            var view = await server.GetVersionAsync(parsed.GetRequiredValue(model), parsed.GetValue(version), token);
            var path = parsed.GetValue(output);
            if (path is not null)
            {
                await ModelFiles.DownloadAsync(server, view.Weights, Path.GetFullPath(path, shell.CurrentFolder), token);
            }

            return answer.Write(view, WireJson.Default.VersionView, _ =>
            {
                shell.Output.WriteLine($"{view.Model} {view.Version}{(view.Current ? ", served" : "")}");
                shell.Output.WriteLine($"sha-256 {view.Weights.Digest}, {view.Weights.Bytes.ToString("N0", CultureInfo.InvariantCulture)} bytes, {view.Accepted} updates, parent {view.Parent ?? "none"}");
                foreach (var (metric, value) in view.Metrics)
                {
                    shell.Output.WriteLine($"  {metric} {value:0.######}");
                }

                shell.Output.WriteLine(path is null ? "Download it with: -o FILE" : $"written to {path}");
            });
        });
    }

    private static Command Put(Shell shell)
    {
        var model = new Argument<string>("model") { Description = "The model to create." };
        var file = new Argument<string>("file") { Description = "A safetensors file of F32 and I64 tensors." };
        return new ServerOptions(shell).Command("put", "Upload a file as a model's first version.", [model, file], async (parsed, server, answer, token) =>
        {
            var bytes = ModelFiles.ReadCanonical(Path.GetFullPath(parsed.GetRequiredValue(file), shell.CurrentFolder));
            var digest = Digest.Of(bytes);
            var name = parsed.GetRequiredValue(model);
            var upload = await server.AnnounceModelAsync(name, new ModelUploadRequest(digest, bytes.Length), token);
            using (var content = new MemoryStream(bytes, writable: false))
            {
                await server.UploadAsync(upload, content, token);
            }

            var created = await server.CreateModelAsync(name, new CreateModelRequest(digest), token);
            return answer.Write(created, WireJson.Default.VersionView, _ => shell.Output.WriteLine($"{created.Model} {created.Version}, sha-256 {created.Weights.Digest}"));
        });
    }

    private static Command RollBack(Shell shell)
    {
        var model = new Argument<string>("model") { Description = "The model." };
        var version = new Argument<string>("version") { Description = "The version to serve." };
        return new ServerOptions(shell).Command("rollback", "Serve an earlier version of a model.", [model, version], async (parsed, server, answer, token) =>
            answer.Write(
                await server.RollBackAsync(parsed.GetRequiredValue(model), parsed.GetRequiredValue(version), token),
                WireJson.Default.VersionView,
                view => shell.Output.WriteLine($"{view.Model} serves {view.Version}.")));
    }
}
