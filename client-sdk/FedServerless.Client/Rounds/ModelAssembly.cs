using System.Security.Cryptography;
using FedServerless.Client.State;
using FedServerless.Model;
using FedServerless.Wire;
using FedServerless.Wire.Downloads;

namespace FedServerless.Client.Rounds;

/// <summary>Puts a model together from encoded files, and believes nothing but the digest of what comes out.</summary>
internal static class ModelAssembly
{
    /// <summary>The model that is built on.</summary>
    /// <returns>Null when it is not here, or damaged; it is removed then.</returns>
    public static ModelState? ReadStart(string path, Digest digest)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (Digest.FromBytes(SHA256.HashData(file)) == digest)
            {
                file.Position = 0;
                return ModelStateFile.Read(file, file.Length);
            }
        }
        catch (Exception problem) when (problem is InvalidDataException or EndOfStreamException)
        {
            // As good as not here.
        }

        File.Delete(path);
        return null;
    }

    /// <summary>Applies one encoded file.</summary>
    /// <exception cref="InvalidDataException">It is not what was announced.</exception>
    public static ModelState Apply(string path, ModelArtifact model, ModelState? start, Digest startDigest)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        return EncodedModelReader.Read(file, model.LayoutDigest, model.Bytes, start, startDigest);
    }

    /// <summary>Writes the model to its place if it is the one that was announced.</summary>
    /// <param name="path">Its place.</param>
    /// <param name="state">The model.</param>
    /// <param name="expected">SHA-256 of the one that was announced.</param>
    /// <param name="onWritten">Called when only its name is missing.</param>
    public static bool TryKeep(string path, ModelState state, Digest expected, Action onWritten)
    {
        var temporary = path + StateFolder.TemporarySuffix;
        bool isIt;
        using (var file = new FileStream(temporary, StateFolder.Private(FileMode.Create, FileShare.None)))
        {
            ModelStateFile.Write(state, file);
            file.Flush(flushToDisk: true);
            file.Position = 0;
            isIt = Digest.FromBytes(SHA256.HashData(file)) == expected;
        }

        if (!isIt)
        {
            File.Delete(temporary);
            return false;
        }

        onWritten();
        File.Move(temporary, path, overwrite: true);
        return true;
    }
}
