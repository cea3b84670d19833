namespace FedServerless.Wire;

/// <summary>
/// What a sample of a <c>conv</c> is. Its features are channel after channel, each row by row, as PyTorch has images: the feature at
/// channel c, row y, column x is number (c·height + y)·width + x.
/// </summary>
public sealed record ImageSpec
{
    /// <summary>Rows, 2 to 1024: divisible by 2 for every convolution, since they are halved after it.</summary>
    public required int Height { get; init; }

    /// <summary>Columns, 2 to 1024: as <see cref="Height"/>.</summary>
    public required int Width { get; init; }

    /// <summary>Values of a pixel, 1 to 1024. Default 1.</summary>
    public int Channels { get; set; } = 1;
}

/// <summary>One convolution of a <c>conv</c>: it keeps height and width; after it come ReLU and the maximum of each 2 × 2.</summary>
public sealed record ConvolutionSpec
{
    /// <summary>Channels it makes, 1 to 1024.</summary>
    public required int Channels { get; init; }

    /// <summary>Height and width of the convolution: 1, 3, 5 or 7. Default 5. Beyond the edges the image is zero.</summary>
    public int Kernel { get; set; } = 5;
}
