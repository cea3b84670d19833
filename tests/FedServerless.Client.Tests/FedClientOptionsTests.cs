namespace FedServerless.Client.Tests;

public sealed class FedClientOptionsTests
{
    private static readonly FedClientOptions Valid = new() { StateFolder = "state" };

    [Fact]
    public void Validate_Defaults_FindsNothing() => Assert.Empty(Valid.Validate());

    [Fact]
    public void Open_EverythingWrong_ListsEveryProblemAtOnce()
    {
        var options = new FedClientOptions
        {
            StateFolder = " ",
            CheckInWait = TimeSpan.FromSeconds(301),
            RequestTimeout = TimeSpan.Zero,
            MaxAttempts = 0,
            FirstBackoff = TimeSpan.Zero,
            MaxBackoff = TimeSpan.FromHours(25),
            MaxModelBytes = 0,
            CachedModels = 0,
            MaxVectorBytes = 0,
            MaxBytesPerDay = 0,
            MinBattery = -0.1,
            ConditionsInterval = TimeSpan.Zero,
        };

        var problem = Assert.Throws<ArgumentException>(() => FedClient.Open(options));

        string[] fields =
        [
            "StateFolder", "CheckInWait", "RequestTimeout", "MaxAttempts", "FirstBackoff", "MaxBackoff", "MaxModelBytes", "CachedModels",
            "MaxVectorBytes", "MaxBytesPerDay", "MinBattery", "ConditionsInterval",
        ];
        Assert.Equal(fields, options.Validate().Select(item => item.Field));
        Assert.All(fields, field => Assert.Contains($"{field} is '", problem.Message, StringComparison.Ordinal));
    }

    public static TheoryData<FedClientOptions, bool> Limits => new()
    {
        { Valid with { CheckInWait = TimeSpan.Zero }, true },
        { Valid with { CheckInWait = TimeSpan.FromSeconds(-1) }, false },
        { Valid with { CheckInWait = TimeSpan.FromSeconds(300) }, true },
        { Valid with { CheckInWait = TimeSpan.FromMilliseconds(1500) }, false },
        { Valid with { RequestTimeout = TimeSpan.FromSeconds(1) }, true },
        { Valid with { RequestTimeout = TimeSpan.FromMilliseconds(999) }, false },
        { Valid with { RequestTimeout = TimeSpan.FromHours(1) }, true },
        { Valid with { RequestTimeout = TimeSpan.FromHours(1) + TimeSpan.FromTicks(1) }, false },
        { Valid with { MaxAttempts = 1 }, true },
        { Valid with { MaxAttempts = 100 }, true },
        { Valid with { MaxAttempts = 101 }, false },
        { Valid with { FirstBackoff = TimeSpan.FromMinutes(1), MaxBackoff = TimeSpan.FromMinutes(1) }, true },
        { Valid with { FirstBackoff = TimeSpan.FromMinutes(2), MaxBackoff = TimeSpan.FromMinutes(1) }, false },
        { Valid with { MaxModelBytes = 1 }, true },
        { Valid with { MaxModelBytes = FedClientOptions.MaxModelBytesLimit }, true },
        { Valid with { MaxModelBytes = FedClientOptions.MaxModelBytesLimit + 1 }, false },
        { Valid with { CachedModels = 1000 }, true },
        { Valid with { CachedModels = 1001 }, false },
        { Valid with { MaxVectorBytes = 1 }, true },
        { Valid with { MaxVectorBytes = 0 }, false },
        { Valid with { MaxBytesPerDay = 1 }, true },
        { Valid with { MinBattery = 0 }, true },
        { Valid with { MinBattery = 1 }, true },
        { Valid with { MinBattery = 1.01 }, false },
        { Valid with { MinBattery = double.NaN }, false },
        { Valid with { ConditionsInterval = TimeSpan.FromSeconds(1) }, true },
        { Valid with { ConditionsInterval = TimeSpan.FromHours(24) }, true },
        { Valid with { ConditionsInterval = TimeSpan.FromHours(24) + TimeSpan.FromTicks(1) }, false },
    };

    [Theory]
    [MemberData(nameof(Limits), DisableDiscoveryEnumeration = true)]
    public void Validate_AroundALimit_RefusesBeyondIt(FedClientOptions options, bool valid) =>
        Assert.Equal(valid, options.Validate().Count == 0);
}
