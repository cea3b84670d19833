using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Cli.Demo;

/// <summary>The optical digits that come with the sources: 1797 images of 8 × 8 pixels, each 0 to 16.</summary>
internal static class Digits
{
    public const int Side = 8;
    public const int Features = Side * Side;
    public const int Classes = 10;
    public const string ModelName = "digits";
    public const double HeldOutShare = 0.2;

    /// <summary>A network for them: of 650, 2410 or 1898 parameters.</summary>
    /// <param name="name">One of the built-in ones.</param>
    public static ArchitectureSpec Architecture(string name)
    {
        var softmax = new ArchitectureSpec { Name = name, Inputs = Features, Outputs = Classes };
        return name switch
        {
            Architectures.Mlp => softmax with { Hidden = [32] },
            Architectures.Conv => softmax with
            {
                Image = new ImageSpec { Height = Side, Width = Side },
                Convolutions = [new ConvolutionSpec { Channels = 8, Kernel = 3 }, new ConvolutionSpec { Channels = 16, Kernel = 3 }],
            },
            _ => softmax,
        };
    }

    public static LabelledSamples Read(string repository)
    {
        var path = Path.Combine(repository, "samples", "digits", "optdigits.csv.gz");
        return File.Exists(path)
            ? SampleFiles.ReadCsv(path, Classes, scale: 1.0 / 16)
            : throw new CommandException($"{path} is missing; it comes with the sources. Try: git checkout -- samples/digits");
    }
}
