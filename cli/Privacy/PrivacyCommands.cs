using System.CommandLine;
using FedServerless.Cli.Privacy.Accounts;
using FedServerless.Cli.Privacy.Auditing;
using FedServerless.Cli.Privacy.Planning;

namespace FedServerless.Cli.Privacy;

/// <summary><c>fed privacy</c>: for who answers for the budget.</summary>
internal static class PrivacyCommands
{
    public static Command Create(Shell shell) => new("privacy", "Differential privacy: what noise buys and costs, what was spent, and whether the promise is kept.")
    {
        PrivacyPlanCommand.Create(shell),
        BudgetCommands.Create(shell),
        PrivacyReportCommand.Create(shell),
        LedgerCommands.CreateShow(shell),
        LedgerCommands.CreateNote(shell),
        PrivacyAuditCommand.Create(shell),
    };
}
