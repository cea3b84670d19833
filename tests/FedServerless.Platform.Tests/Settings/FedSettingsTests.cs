using FedServerless.Functions.Platform.Settings;
using FedServerless.Gateway;

namespace FedServerless.Platform.Tests.Settings;

public sealed class FedSettingsTests
{
    [Fact]
    public void Read_WhatAzureNeeds_HasTheGatewaysDefaults()
    {
        var settings = SettingsBench.Read(SettingsBench.Azure());

        var gateway = new GatewayOptions();
        Assert.Equal("fed", settings.StorageContainer);
        Assert.Equal(HostIdentity.ManagedIdentity, settings.Identity);
        Assert.Equal(new Uri("https://login.microsoftonline.com"), settings.OperatorAuthority);
        Assert.Equal(gateway.CheckInsPerSecond, settings.CheckInsPerSecond);
        Assert.Equal(gateway.MinRetryAfter, settings.MinRetryAfter);
        Assert.Equal(gateway.MaxRetryAfter, settings.MaxRetryAfter);
        Assert.Equal(gateway.UrlsValidFor, settings.UrlsValidFor);
    }

    [Fact]
    public void Read_Laptop_NeedsNoIdentityAndNoTenant()
    {
        var settings = SettingsBench.Read(SettingsBench.Laptop(), isDevelopment: true);

        Assert.Null(settings.StorageUri);
        Assert.Null(settings.OperatorTenantId);
        Assert.Equal("/somewhere", settings.SecretsFolder);
    }

    [Fact]
    public void Read_TenantAndAudienceInCapitals_AreAsTokensSpellThem()
    {
        var values = SettingsBench.Azure();
        values["Fed:OperatorTenantId"] = "0B2A1F60-5D0E-4C3E-9D0A-7F1F6F1C2E11";
        values["Fed:OperatorAudience"] = "C7C0DE00-1111-4222-8333-444455556666";

        var settings = SettingsBench.Read(values);

        Assert.Equal("0b2a1f60-5d0e-4c3e-9d0a-7f1f6f1c2e11", settings.OperatorTenantId);
        Assert.Equal("c7c0de00-1111-4222-8333-444455556666", settings.OperatorAudience);
    }

    [Fact]
    public void Read_NothingIsSet_NamesEverythingThatIsMissingAtOnce()
    {
        var problems = SettingsBench.Problems([]);

        string[] missing = ["StorageUri", "VaultUri", "OperatorTenantId", "OperatorAudience"];
        Assert.Equal(missing.Length, problems.Count);
        Assert.All(missing, name => Assert.Single(problems, problem => problem.StartsWith($"Fed__{name} is missing; expected ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Read_EverythingIsWrong_NamesEachWithItsValueAndWhatIsRight()
    {
        var problems = SettingsBench.Problems(new()
        {
            ["Fed:StorageUri"] = "http://account.blob.core.windows.net",
            ["Fed:StorageContainer"] = "Fed",
            ["Fed:Identity"] = "Default",
            ["Fed:IdentityClientId"] = "me",
            ["Fed:VaultUri"] = "vault",
            ["Fed:OperatorTenantId"] = "contoso.onmicrosoft.com",
            ["Fed:OperatorAudience"] = "api://fed",
            ["Fed:OperatorAuthority"] = "login",
            ["Fed:PublicUrl"] = "https://fed.example.org/?a=b",
            ["Fed:CheckInsPerSecond"] = "0",
            ["Fed:MinRetryAfter"] = "0.5",
            ["Fed:MaxRetryAfter"] = "2.00:00:00",
            ["Fed:UrlsValidFor"] = "an hour",
        });

        Assert.Equal(13, problems.Count);
        Assert.All(problems, problem => Assert.Matches(@"^Fed__\w+ is '.+'; expected .+\.$", problem));
    }

    [Theory]
    [InlineData("MinRetryAfter", "00:00:00.9990000", false)]
    [InlineData("MinRetryAfter", "00:00:01", true)]
    [InlineData("MaxRetryAfter", "1.00:00:00", true)]
    [InlineData("MaxRetryAfter", "1.00:00:01", false)]
    [InlineData("UrlsValidFor", "0:00:01", true)]
    [InlineData("UrlsValidFor", "00:00:00.5", false)]
    [InlineData("CheckInsPerSecond", "100000", true)]
    [InlineData("CheckInsPerSecond", "100001", false)]
    [InlineData("CheckInsPerSecond", "0.1", true)]
    [InlineData("CheckInsPerSecond", "NaN", false)]
    [InlineData("StorageContainer", "abc", true)]
    [InlineData("StorageContainer", "ab", false)]
    [InlineData("StorageContainer", "a--b", false)]
    [InlineData("StorageContainer", "-ab", false)]
    [InlineData("PublicUrl", "http://fed.example.org/x", true)]
    [InlineData("StorageUri", "https://account.blob.core.windows.net/?sv=secret", false)]
    public void Read_ValueAtAnEdge_IsTakenOrRefused(string name, string value, bool isRight)
    {
        var values = SettingsBench.Azure();
        values[$"Fed:{name}"] = value;

        var refused = Record.Exception(() => SettingsBench.Read(values));

        Assert.Equal(isRight, refused is null);
        Assert.Equal(!isRight, refused is FedSettingsException { Problems.Count: 1 });
    }

    [Fact]
    public void Read_LaptopsSettingsInProduction_AreRefused()
    {
        var values = SettingsBench.Laptop();
        values["Fed:Identity"] = "AzureCli";

        var problems = SettingsBench.Problems(values);

        string[] names = ["StorageConnection", "SecretsFolder", "Identity"];
        Assert.Equal(names.Length, problems.Count);
        Assert.All(names, name => Assert.Single(problems, problem => problem.StartsWith($"Fed__{name} is for development only", StringComparison.Ordinal)));
    }

    [Fact]
    public void Read_ConnectionStringWithAKey_IsRefusedAndNotRepeated()
    {
        var values = SettingsBench.Laptop();
        values["Fed:StorageConnection"] = "DefaultEndpointsProtocol=https;AccountName=real;AccountKey=c2VjcmV0;";

        var problem = Assert.Single(SettingsBench.Problems(values, isDevelopment: true));

        Assert.Contains("Fed__StorageConnection", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("c2VjcmV0", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Fed:StorageUrl", "Fed__StorageUrl is not a setting; it is probably misspelt. Did you mean Fed__StorageUri?")]
    [InlineData("Fed:Nonsense", "Fed__Nonsense is not a setting; it is probably misspelt.")]
    [InlineData("FED_PUBLICURL", "FED_PUBLICURL is not a setting; it is probably misspelt. Did you mean Fed__PublicUrl?")]
    [InlineData("FedPublicUrl", "FedPublicUrl is not a setting; it is probably misspelt. Did you mean Fed__PublicUrl?")]
    public void Read_UnknownSetting_IsNamedAsMisspelt(string key, string expected)
    {
        var values = SettingsBench.Azure();
        values[key] = "x";

        Assert.Equal([expected], SettingsBench.Problems(values));
    }

    [Theory]
    [InlineData("FEDORA_RELEASE")]
    [InlineData("FED_DEBUG")]
    [InlineData("FUNCTIONS_WORKER_RUNTIME")]
    public void Read_VariableOfSomebodyElse_IsPassedOver(string key)
    {
        var values = SettingsBench.Azure();
        values[key] = "x";

        Assert.NotNull(SettingsBench.Read(values));
    }

    [Fact]
    public void Read_BothPlacesForOneThing_AreRefused()
    {
        var values = SettingsBench.Azure();
        foreach (var (key, value) in SettingsBench.Laptop())
        {
            values[key] = value;
        }

        Assert.Equal(
            ["Fed__StorageUri and Fed__StorageConnection are both set; expected one of them.", "Fed__VaultUri and Fed__SecretsFolder are both set; expected one of them."],
            SettingsBench.Problems(values, isDevelopment: true));
    }

    [Fact]
    public void Read_LongestPauseBelowTheShortest_IsRefused()
    {
        var values = SettingsBench.Azure();
        values["Fed:MinRetryAfter"] = "00:01:00";
        values["Fed:MaxRetryAfter"] = "00:00:59";

        Assert.Contains("Fed__MinRetryAfter", Assert.Single(SettingsBench.Problems(values)), StringComparison.Ordinal);
    }
}
