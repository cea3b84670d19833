namespace FedServerless.Core.Tests.Oracles;

/// <summary>One matrix and what numpy made of it: make_robust.py.</summary>
internal sealed record RobustOracle(
    string Name, int F, float[][] Updates, double[] Median, double[] TrimmedMean, double[] KrumScores, int[] Krum, int[] MultiKrum,
    int[] BulyanPicked, double[] Bulyan, double GeometricObjective, double ClipRadius, double[] Clipped, float[] Root, double[] Trusted,
    double[] MixedMedian)
{
    public static TheoryData<string> Names => [.. Load().Select(oracle => oracle.Name)];

    public static RobustOracle Named(string name) => Load().Single(oracle => oracle.Name == name);

    private static IReadOnlyList<RobustOracle> Load() => Oracle.Load<RobustOracle>("robust.json");
}
