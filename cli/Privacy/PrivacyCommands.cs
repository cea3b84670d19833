using System.CommandLine;
using FedServerless.Cli.Privacy.Auditing;
using FedServerless.Cli.Privacy.Planning;

namespace FedServerless.Cli.Privacy;

/// <summary><c>fed privacy</c>: for who answers for the budget.</summary>
internal static class PrivacyCommands
{
    public static Command Create(Shell shell) => new("privacy", "Differential privacy: what noise buys and costs, and whether it keeps its promise.")
    {
        PrivacyPlanCommand.Create(shell),
        PrivacyAuditCommand.Create(shell),
    };
}
