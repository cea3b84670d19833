namespace FedServerless.EndToEnd.Tests;

/// <summary>How much a suite does: <c>FED_LONG_TESTS=1</c> is <c>./fed test --long</c>.</summary>
internal static class LongTests
{
    public static bool Wanted { get; } = Environment.GetEnvironmentVariable("FED_LONG_TESTS") == "1";
}
