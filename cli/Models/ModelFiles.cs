using FedServerless.Cli.Server;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Cli.Models;

/// <summary>Models between a server and files.</summary>
internal static class ModelFiles
{
    /// <summary>Downloads next to the destination and moves it there once it is whole.</summary>
    public static async Task DownloadAsync(OperatorClient server, ModelArtifact artifact, string path, CancellationToken cancellationToken)
    {
        var partial = path + ".partial";
        try
        {
            await using (var file = File.Create(partial))
            {
                await server.DownloadAsync(artifact, file, cancellationToken);
            }

            File.Move(partial, path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{path} cannot be written: {exception.Message}");
        }
        finally
        {
            DeleteIfThere(partial);
        }
    }

    /// <summary>Downloads into memory.</summary>
    public static async Task<ModelState> DownloadAsync(OperatorClient server, ModelArtifact artifact, CancellationToken cancellationToken)
    {
        using var memory = new MemoryStream();
        await server.DownloadAsync(artifact, memory, cancellationToken);
        return ModelStateFile.Read(memory.ToArray());
    }

    /// <summary>Any safetensors file of F32 and I64 tensors, rewritten as the one file that servers take for it.</summary>
    public static byte[] ReadCanonical(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return ModelStateFile.ToBytes(ModelStateFile.Read(file, file.Length));
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException)
        {
            throw new CommandException($"{path} is no model: {exception.Message} Expected a safetensors file whose tensors are F32 or I64.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{path} cannot be read: {exception.Message}");
        }
    }

    private static void DeleteIfThere(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The reason is on its way to the user already; a left-over .partial file does no harm.
        }
    }
}
