using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using FedServerless.Client.Training;

namespace FedServerless.Cli.Demo;

/// <summary>How samples are dealt out to clients: <c>iid</c> or <c>dirichlet:α</c>.</summary>
/// <param name="Alpha">Dirichlet's concentration; null for iid.</param>
internal sealed record PartitionChoice(double? Alpha)
{
    public const string Form = "iid or dirichlet:ALPHA, ALPHA above 0 (0.1 is very skewed, 100 nearly even)";

    private const double MaxAlpha = 1_000_000;
    private const string DirichletPrefix = "dirichlet:";

    public static PartitionChoice Iid { get; } = new((double?)null);

    public static bool TryParse(string text, [NotNullWhen(true)] out PartitionChoice? choice)
    {
        choice = text == "iid" ? Iid : null;
        if (text.StartsWith(DirichletPrefix, StringComparison.Ordinal)
            && double.TryParse(text.AsSpan(DirichletPrefix.Length), NumberStyles.Float, CultureInfo.InvariantCulture, out var alpha)
            && alpha is > 0 and <= MaxAlpha)
        {
            choice = new PartitionChoice(alpha);
        }

        return choice is not null;
    }

    /// <summary>The indices of each client's samples.</summary>
    public int[][] Deal(LabelledSamples samples, int clients, long seed) => Alpha is { } alpha
        ? Partition.Dirichlet(samples.Labels, clients, alpha, seed)
        : Partition.Iid(samples.Count, clients, seed);

    public override string ToString() => Alpha is { } alpha ? DirichletPrefix + alpha.ToString(CultureInfo.InvariantCulture) : "iid";
}
