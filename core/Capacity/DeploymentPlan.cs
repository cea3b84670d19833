namespace FedServerless.Capacity;

/// <summary>What a round of a deployment comes to, and what it runs into.</summary>
/// <param name="Round">The round's numbers, with the choices that follow: levels, shards, tasks.</param>
/// <param name="Replicas">Copies of the model that devices fetch from.</param>
/// <param name="PaceSeconds">Pause between two check-ins of a client; a round's devices arrive within that time.</param>
/// <param name="Steps">The steps, each with its time.</param>
/// <param name="Idle">Check-ins of the whole population while a round collects.</param>
/// <param name="Usage">All of it together.</param>
/// <param name="Cost">In the currency of the price table.</param>
/// <param name="Findings">Limits, the tightest first.</param>
public sealed record DeploymentPlan(
    RoundQuantities Round, int Replicas, double PaceSeconds, IReadOnlyList<StepPlan> Steps, StepPlan Idle, ResourceUsage Usage, double Cost,
    IReadOnlyList<CapacityFinding> Findings)
{
    /// <summary>Seconds from the seal to the published version.</summary>
    public double AggregationSeconds => Steps.Where(step => step.Forecast.IsAggregation).Sum(step => step.Seconds);

    /// <summary>The limit that is used up most.</summary>
    public CapacityFinding Binding => Findings[0];

    /// <summary>True when no limit is passed.</summary>
    public bool Fits => Findings.All(finding => !finding.IsBroken);
}

/// <summary>A step and its time.</summary>
/// <param name="Forecast">What it does.</param>
/// <param name="Seconds">From its first activity to its last, with the instances and limits there are.</param>
/// <param name="Instances">Instances that work on it.</param>
public sealed record StepPlan(StepForecast Forecast, double Seconds, int Instances);

/// <summary>A limit and how much of it is used.</summary>
/// <param name="Limit">What is limited.</param>
/// <param name="Value">What the round comes to.</param>
/// <param name="Allowed">The limit.</param>
/// <param name="Advice">What to change where it is passed.</param>
public sealed record CapacityFinding(string Limit, double Value, double Allowed, string Advice)
{
    /// <summary>Share of the limit; above 1 it is passed.</summary>
    public double Share => Value / Allowed;

    /// <summary>True when the limit is passed.</summary>
    public bool IsBroken => Value > Allowed;
}
