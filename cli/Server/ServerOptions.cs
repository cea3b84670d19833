using System.CommandLine;

namespace FedServerless.Cli.Server;

/// <summary>The options of every command that talks to a server.</summary>
internal sealed class ServerOptions(Shell shell)
{
    private readonly Option<string?> _url = new Option<string?>("--url") { Description = $"The server's address. Default: {Variables.Url}, else the local host's.", HelpName = "URL" }.NotBlank();

    private readonly Option<string?> _key = new Option<string?>("--key") { Description = $"The operator key. Default: {Variables.Key}, else the local host's.", HelpName = "KEY" }.NotBlank();

    private readonly Option<string?> _data = new Option<string?>("--data") { Description = "The data folder of the local host to talk to.", HelpName = "DIR" }.NotBlank();

    private readonly Option<bool> _json = new("--json") { Description = "Write the answer as JSON, for scripts." };

    /// <summary>Adds the options to a command.</summary>
    public T AddTo<T>(T command)
        where T : Command
    {
        command.Add(_url);
        command.Add(_key);
        command.Add(_data);
        command.Add(_json);
        return command;
    }

    /// <summary>Makes a command whose action gets a connection.</summary>
    public Command Command(
        string name, string description, IEnumerable<Symbol> symbols, Func<ParseResult, OperatorClient, Answer, CancellationToken, Task<int>> action)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            Add(command, symbol);
        }

        AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var server = Connect(parsed);
            return await action(parsed, server, new Answer(shell, parsed.GetValue(_json)), cancellationToken);
        });
        return command;
    }

    private OperatorClient Connect(ParseResult parsed) =>
        new(ServerAddress.Resolve(shell, parsed.GetValue(_url), parsed.GetValue(_key), parsed.GetValue(_data)), shell.Http);

    private static void Add(Command command, Symbol symbol)
    {
        if (symbol is Option option)
        {
            command.Add(option);
        }
        else
        {
            command.Add((Argument)symbol);
        }
    }
}
