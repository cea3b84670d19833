namespace FedServerless.Functions.Platform.Operators;

/// <summary>Whose tokens are taken, and how long what was learnt of the authority is relied on.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="Audience">Client id of the app registration.</param>
/// <param name="Authority">Where Entra ID is, such as <c>https://login.microsoftonline.com</c>.</param>
internal sealed record EntraOptions(string TenantId, string Audience, Uri Authority)
{
    /// <summary>How much two clocks may differ. Default five minutes, as everywhere with Entra ID.</summary>
    public TimeSpan Skew { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long keys are used before they are asked for anew. Default 12 hours.</summary>
    public TimeSpan RefreshEvery { get; init; } = TimeSpan.FromHours(12);

    /// <summary>How long keys are relied on while the authority does not answer: a key that was withdrawn is good for so long. Default 24 hours.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Shortest pause between two questions, whatever tokens come. Default five minutes.</summary>
    public TimeSpan AskEvery { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Shortest pause between two questions while there are no keys at all. Default ten seconds.</summary>
    public TimeSpan AskFirstEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest time that the authority may take to answer. Default ten seconds.</summary>
    public TimeSpan AnswerWithin { get; init; } = TimeSpan.FromSeconds(10);
}
