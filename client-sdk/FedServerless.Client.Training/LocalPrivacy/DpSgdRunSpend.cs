using FedServerless.Privacy;

namespace FedServerless.Client.Training;

/// <summary>What one run has spent.</summary>
/// <param name="Run">The run.</param>
/// <param name="Rounds">Charges.</param>
/// <param name="Steps">Steps charged.</param>
/// <param name="Spent">Its ε alone, at the order and δ of the budget.</param>
public sealed record DpSgdRunSpend(string Run, int Rounds, long Steps, PrivacySpend Spent);
