namespace FedServerless.Architecture.Tests;

/// <summary>
/// Public is a promise. The surface of each library whose users are not in this repository is rendered to a text file; the
/// diff is the review. FED_ACCEPT_API=1 rewrites the files.
/// </summary>
public sealed class PublicApiTests
{
    [Theory]
    [InlineData("FedServerless.Core")]
    [InlineData("FedServerless.Workflows")]
    [InlineData("FedServerless.Activities")]
    [InlineData("FedServerless.Client")]
    [InlineData("FedServerless.Client.Training")]
    public void PublicSurface_IsTheOneThatWasReviewed(string assembly) => PublicSurface.AssertReviewed(Product.Load(assembly));
}
