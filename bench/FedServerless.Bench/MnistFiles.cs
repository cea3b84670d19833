using FedServerless.Client.Training;

namespace FedServerless.Bench;

/// <summary>Finds and reads MNIST.</summary>
internal static class MnistFiles
{
    private static readonly string[] Names = ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"];

    /// <summary>Training and test samples; null, with a word on standard error, where the files are not.</summary>
    /// <param name="folder">Where they are; null for <c>../shared/data/mnist</c> beside the repository.</param>
    public static (LabelledSamples Training, LabelledSamples Test)? Load(string? folder)
    {
        folder ??= Path.Combine(RepositoryRoot(), "..", "shared", "data", "mnist");
        var paths = Names.Select(file => Path.Combine(folder, file)).ToArray();
        if (paths.FirstOrDefault(path => !File.Exists(path)) is { } missing)
        {
            Console.Error.WriteLine($"skipped: MNIST is not here ({Path.GetFullPath(missing)} does not exist); --data FOLDER says where its four files are.");
            return null;
        }

        return (SampleFiles.ReadIdx(paths[0], paths[1], classCount: 10), SampleFiles.ReadIdx(paths[2], paths[3], classCount: 10));
    }

    private static string RepositoryRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "FedServerless.sln")))
        {
            folder = Path.GetDirectoryName(folder)
                ?? throw new InvalidOperationException("Not inside the repository; say --data FOLDER.");
        }

        return folder;
    }
}
