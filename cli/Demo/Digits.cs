using FedServerless.Client.Training;

namespace FedServerless.Cli.Demo;

/// <summary>The optical digits that come with the sources: 1797 images of 8 × 8 pixels, each 0 to 16.</summary>
internal static class Digits
{
    public const int Features = 64;
    public const int Classes = 10;
    public const int HiddenWidth = 32;
    public const string ModelName = "digits";
    public const double HeldOutShare = 0.2;

    public static LabelledSamples Read(string repository)
    {
        var path = Path.Combine(repository, "samples", "digits", "optdigits.csv.gz");
        return File.Exists(path)
            ? SampleFiles.ReadCsv(path, Classes, scale: 1.0 / 16)
            : throw new CommandException($"{path} is missing; it comes with the sources. Try: git checkout -- samples/digits");
    }
}
