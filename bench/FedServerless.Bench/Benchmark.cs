namespace FedServerless.Bench;

/// <summary>Something to measure.</summary>
/// <param name="Name">What to type.</param>
/// <param name="Summary">What it measures, in a phrase.</param>
/// <param name="Run">Measures, given the arguments after the name.</param>
internal sealed record Benchmark(string Name, string Summary, Func<IReadOnlyList<string>, IReadOnlyList<Measurement>> Run);

/// <summary>One line of a result.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Value">The figure.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Note">What to read it against; empty for nothing.</param>
internal sealed record Measurement(string Name, double Value, string Unit, string Note = "");
