using FedServerless.Privacy;

namespace FedServerless.Activities.Privacy;

/// <summary>What became of a budget that was to be set.</summary>
/// <param name="Budget">The budget that holds; null when refused.</param>
/// <param name="Refusal">Why it was refused; null when it holds.</param>
public sealed record BudgetAnswer(PrivacyBudget? Budget, string? Refusal);
