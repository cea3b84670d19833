using System.Text.RegularExpressions;
using FedServerless.Functions.Platform.Settings;
using FedServerless.Testing;

namespace FedServerless.Platform.Tests.Settings;

/// <summary>docs/how-to/settings.md against the code.</summary>
public sealed partial class SettingsPageTests
{
    private static readonly string Page = File.ReadAllText(RepositoryRoot.Combine("docs/how-to/settings.md"));

    [Fact]
    public void Page_Rows_AreTheSettingsThatAreRead()
    {
        var documented = Row().Matches(Page).Select(row => row.Groups["name"].Value);

        Assert.Equal(FedSettings.Names(), documented);
    }

    [Theory]
    [MemberData(nameof(Defaults))]
    public void Page_Default_IsTheOneThatIsUsed(string name, string value)
    {
        // The documented default, set, changes nothing.
        var values = SettingsBench.Azure();
        values[$"Fed:{name}"] = value;

        Assert.Equal(SettingsBench.Read(SettingsBench.Azure()), SettingsBench.Read(values));
    }

    public static TheoryData<string, string> Defaults()
    {
        var rows = new TheoryData<string, string>();
        foreach (Match row in Row().Matches(Page).Where(row => row.Groups["default"].Value.Length > 0))
        {
            rows.Add(row.Groups["name"].Value, row.Groups["default"].Value);
        }

        return rows;
    }

    [GeneratedRegex(@"^\| `Fed__(?<name>\w+)` \|[^|]*\| (`(?<default>[^`]+)`)? ?\|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
