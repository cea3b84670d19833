using FedServerless.Client.Http;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Client.Rounds;

/// <summary>Reads a verified artifact into memory.</summary>
internal static class LeasedModel
{
    /// <exception cref="GiveUpException">It is not a model, or not the one the lease describes.</exception>
    public static ModelState Read(string path, ModelArtifact artifact)
    {
        ModelState model;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            model = ModelStateFile.Read(file, file.Length);
        }
        catch (Exception problem) when (problem is InvalidDataException or EndOfStreamException)
        {
            throw new GiveUpException($"the model is not a safetensors file this SDK reads: {problem.Message}", problem);
        }

        if (model.Layout.Digest != artifact.LayoutDigest)
        {
            throw new GiveUpException($"the model's tensor layout has digest {model.Layout.Digest}, the lease names {artifact.LayoutDigest}");
        }

        return model;
    }
}
