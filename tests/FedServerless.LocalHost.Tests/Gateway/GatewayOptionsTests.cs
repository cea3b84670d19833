using FedServerless.Gateway;
using FedServerless.Gateway.Limits;
using FedServerless.Gateway.Upkeep;

namespace FedServerless.LocalHost.Tests.Gateway;

public sealed class GatewayOptionsTests
{
    [Fact]
    public void Problems_Defaults_AreLegal() => Assert.Empty(new GatewayOptions().Problems());

    [Fact]
    public void Problems_EverythingWrong_ListsEverything()
    {
        var options = new GatewayOptions
        {
            PublicUrl = new Uri("ftp://fed.test"),
            HoldCheckInsFor = TimeSpan.FromSeconds(61),
            CheckInsPerSecond = double.NaN,
            MinRetryAfter = TimeSpan.Zero,
            BoardFreshFor = TimeSpan.Zero,
            UrlsValidFor = TimeSpan.Zero,
            Limits = new RequestLimits
            {
                Address = new TokenRate(0, 1),
                Device = new TokenRate(1, 0.5),
                Operator = new TokenRate(double.NaN, 1),
                FailureCost = 0.5,
                TrackedSenders = 65,
                TrustedForwarders = 9,
            },
            Upkeep = new UpkeepOptions
            {
                ConfirmAfter = TimeSpan.Zero,
                StuckAfter = TimeSpan.Zero,
                MaxRecoveriesPerHour = 0,
                GiveUpAfter = 0,
                KeepInstancesFor = TimeSpan.Zero,
                MaxPurgesPerPass = 0,
                KeepAuditFor = TimeSpan.Zero,
            },
        };

        Assert.Equal(
            [
                "PublicUrl", "HoldCheckInsFor", "CheckInsPerSecond", "MinRetryAfter", "BoardFreshFor", "UrlsValidFor",
                "ConfirmAfter", "StuckAfter", "MaxRecoveriesPerHour", "GiveUpAfter", "KeepInstancesFor", "MaxPurgesPerPass", "KeepAuditFor",
                "Limits.Address", "Limits.Device", "Limits.Operator", "Limits.FailureCost", "Limits.TrackedSenders", "Limits.TrustedForwarders",
            ],
            options.Problems().Select(problem => problem.Split(' ')[0]));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(86_400, true)]
    [InlineData(86_401, false)]
    public void Problems_UrlsValidFor_IsBounded(int seconds, bool isLegal) =>
        Assert.Equal(isLegal, !new GatewayOptions { UrlsValidFor = TimeSpan.FromSeconds(seconds) }.Problems().Any());
}
