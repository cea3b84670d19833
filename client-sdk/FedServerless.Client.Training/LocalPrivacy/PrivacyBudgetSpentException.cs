namespace FedServerless.Client.Training;

/// <summary>A round would pass the site's privacy budget: nothing was drawn, nothing charged, and nothing is sent.</summary>
public sealed class PrivacyBudgetSpentException : InvalidOperationException
{
    internal PrivacyBudgetSpentException(string message)
        : base(message)
    {
    }
}
