namespace FedServerless.Core.Tests.Privacy;

/// <summary>A row of tight_delta.json.</summary>
internal sealed record TightOracle(double SamplingRate, double NoiseMultiplier, int Rounds, bool Removes, double Epsilon, double Delta);
