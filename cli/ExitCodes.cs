namespace FedServerless.Cli;

/// <summary>How the tool ends.</summary>
internal static class ExitCodes
{
    public const int Success = 0;

    /// <summary>The command was understood and did not succeed.</summary>
    public const int Failure = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;
}
