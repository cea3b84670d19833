using FedServerless.Wire;

namespace FedServerless.Model;

/// <summary>What is legal in an <see cref="ArchitectureSpec"/>.</summary>
internal sealed class ArchitectureRules
{
    private readonly List<Problem> _problems = [];
    private readonly ArchitectureSpec _spec;
    private readonly string _field;

    private ArchitectureRules(ArchitectureSpec spec, string field) => (_spec, _field) = (spec, field);

    public static IReadOnlyList<Problem> Validate(ArchitectureSpec spec, string field)
    {
        var rules = new ArchitectureRules(spec, field);
        rules.ValidateName();
        rules.Range("inputs", spec.Inputs, 1, Architectures.MaxInputs);
        rules.Range("outputs", spec.Outputs, Architectures.MinOutputs, Architectures.MaxWidth);
        rules.ValidateHidden();
        rules.ValidateConvolutions();
        rules.ValidateSize();
        return rules._problems;
    }

    private void ValidateName()
    {
        if (_spec.Name is not (Architectures.Softmax or Architectures.Mlp or Architectures.Conv))
        {
            Add("name", _spec.Name, $"'{Architectures.Softmax}', '{Architectures.Mlp}' or '{Architectures.Conv}'");
        }
    }

    private void ValidateHidden()
    {
        var hidden = _spec.Hidden ?? [];
        var (fewest, most) = _spec.Name switch
        {
            Architectures.Softmax => (0, 0),
            Architectures.Conv => (0, Architectures.MaxHiddenLayers),
            _ => (1, Architectures.MaxHiddenLayers),
        };
        if (hidden.Count < fewest || hidden.Count > most)
        {
            Add("hidden", $"{hidden.Count} layers", most == 0 ? $"no hidden layer for '{_spec.Name}'" : $"{fewest} to {most} hidden layers for '{_spec.Name}'");
            return;
        }

        for (var i = 0; i < hidden.Count; i++)
        {
            Range($"hidden[{i}]", hidden[i], 1, Architectures.MaxWidth);
        }
    }

    private void ValidateConvolutions()
    {
        var convolutions = _spec.Convolutions ?? [];
        if (_spec.Name != Architectures.Conv)
        {
            if (_spec.Image is not null)
            {
                Add("image", "an image", $"none: only '{Architectures.Conv}' has one");
            }

            if (convolutions.Count > 0)
            {
                Add("convolutions", $"{convolutions.Count} convolutions", $"none: only '{Architectures.Conv}' has some");
            }

            return;
        }

        if (convolutions.Count is 0 or > Architectures.MaxConvolutions)
        {
            Add("convolutions", $"{convolutions.Count} convolutions", $"1 to {Architectures.MaxConvolutions} convolutions for '{Architectures.Conv}'");
            return;
        }

        for (var i = 0; i < convolutions.Count; i++)
        {
            ValidateConvolution($"convolutions[{i}]", convolutions[i]);
        }

        ValidateImage(convolutions.Count);
    }

    private void ValidateConvolution(string name, ConvolutionSpec? convolution)
    {
        if (convolution is null)
        {
            Add(name, "null", "a convolution with its channels");
            return;
        }

        Range($"{name}.channels", convolution.Channels, 1, Architectures.MaxChannels);
        if (convolution.Kernel is < 1 or > Architectures.MaxKernel || convolution.Kernel % 2 == 0)
        {
            Add($"{name}.kernel", $"{convolution.Kernel}", $"an odd integer from 1 to {Architectures.MaxKernel}");
        }
    }

    private void ValidateImage(int convolutions)
    {
        if (_spec.Image is not { } image)
        {
            Add("image", "null", $"height, width and channels of a sample for '{Architectures.Conv}'");
            return;
        }

        Side("image.height", image.Height, convolutions);
        Side("image.width", image.Width, convolutions);
        Range("image.channels", image.Channels, 1, Architectures.MaxChannels);
        var features = (long)image.Height * image.Width * image.Channels;
        if (_problems.Count == 0 && features != _spec.Inputs)
        {
            Add("inputs", $"{_spec.Inputs}", $"{features}, the image's {image.Height} × {image.Width} × {image.Channels}");
        }
    }

    private void Side(string name, int value, int convolutions)
    {
        var step = 1 << convolutions;
        if (value < 1 || value > Architectures.MaxSide || value % step != 0)
        {
            Add(name, $"{value}", $"a multiple of {step} up to {Architectures.MaxSide}, halved after each of {convolutions} convolutions");
        }
    }

    private void ValidateSize()
    {
        if (_problems.Count > 0)
        {
            return;
        }

        var parameters = Architectures.ParameterCount(_spec);
        if (parameters > TensorLayout.MaxFloats)
        {
            _problems.Add(new Problem(_field, $"{parameters} parameters", $"at most {TensorLayout.MaxFloats} parameters"));
        }

        var values = ConvShape.Of(_spec).Sum(shape => shape.Values);
        if (values > Architectures.MaxConvValues)
        {
            Add("convolutions", $"{values} values a sample between the layers", $"at most {Architectures.MaxConvValues}");
        }
    }

    private void Range(string name, int value, int least, int most)
    {
        if (value < least || value > most)
        {
            Add(name, $"{value}", $"an integer from {least} to {most}");
        }
    }

    private void Add(string name, string value, string expected) => _problems.Add(new Problem($"{_field}.{name}", value, expected));
}
