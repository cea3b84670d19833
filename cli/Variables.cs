namespace FedServerless.Cli;

/// <summary>The environment variables that the tool reads.</summary>
internal static class Variables
{
    /// <summary>The clone; <c>./fed</c> sets it.</summary>
    public const string Root = "FED_ROOT";

    /// <summary>The local host's program; <c>./fed</c> sets it.</summary>
    public const string Host = "FED_HOST";

    /// <summary>The server's address.</summary>
    public const string Url = "FED_URL";

    /// <summary>The operator key.</summary>
    public const string Key = "FED_KEY";

    /// <summary>Anything shows the whole of what went wrong unexpectedly, for those who look for its cause.</summary>
    public const string Debug = "FED_DEBUG";

    /// <summary>1 lets the long tests run; <c>fed test --long</c> sets it for the test programs.</summary>
    public const string LongTests = "FED_LONG_TESTS";
}
