namespace FedServerless.Cli.Tests;

public sealed class DurationsTests
{
    [Theory]
    [InlineData("90s", 90)]
    [InlineData("1.5m", 90)]
    [InlineData("2h", 7200)]
    [InlineData("1d", 86_400)]
    [InlineData("0s", 0)]
    public void TryParse_NumberAndUnit_GivesTheTime(string text, double seconds)
    {
        Assert.True(Durations.TryParse(text, out var duration));
        Assert.Equal(seconds, duration.TotalSeconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("90")]
    [InlineData("-1s")]
    [InlineData("1w")]
    [InlineData("NaNs")]
    [InlineData("999999999999999d")]
    public void TryParse_AnythingElse_IsRefused(string text) => Assert.False(Durations.TryParse(text, out _));
}
