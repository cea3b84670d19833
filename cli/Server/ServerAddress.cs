namespace FedServerless.Cli.Server;

/// <summary>Which server to talk to, and as whom.</summary>
/// <param name="Url">Its base address.</param>
/// <param name="Key">The operator key, or null where none was found.</param>
/// <param name="KeySource">Where the key comes from or should have come from, for error messages.</param>
internal sealed record ServerAddress(Uri Url, string? Key, string KeySource)
{
    /// <summary>
    /// Finds the server: what the command line says, else the environment, else what a local host wrote into its data folder.
    /// A key from a data folder goes to no server but that folder's.
    /// </summary>
    /// <exception cref="CommandException">There is none, or its address is not one.</exception>
    public static ServerAddress Resolve(Shell shell, string? url, string? key, string? data)
    {
        var folder = data is null ? DataFolder.Discover(shell) : new DataFolder(Path.GetFullPath(data, shell.CurrentFolder));
        var local = folder.ReadUrl();
        var (text, source) = (url, data, shell.Variable(Variables.Url), local) switch
        {
            ({ } named, _, _, _) => (named, Source.Option),
            (_, null, { Length: > 0 } variable, _) => (variable, Source.Environment),
            (_, _, _, { } written) => (written, Source.Folder),
            _ => throw new CommandException(
                $"No server is known: {folder.UrlFile} does not exist. Start one with: fed up; or name one with --url or {Variables.Url}."),
        };
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
        {
            throw new CommandException($"'{text}' is not a server's address; expected something like http://127.0.0.1:7270.", ExitCodes.Usage);
        }

        // Files and variables tend to end in a newline; no key has blanks around it.
        key = key?.Trim();
        var variableKey = shell.Variable(Variables.Key)?.Trim();
        if ((key ?? variableKey)?.Any(character => character is <= ' ' or > '~') == true)
        {
            throw new CommandException($"What {(key is null ? Variables.Key : "--key")} holds is not an operator key: a key is one word without blanks or line breaks.", ExitCodes.Usage);
        }

        var isFolders = source == Source.Folder || (source == Source.Option && IsSameServer(address, local));
        return (key, isFolders, variableKey) switch
        {
            ({ Length: > 0 }, _, _) => new ServerAddress(address, key, "--key"),
            (_, true, _) => new ServerAddress(address, folder.ReadKey(), folder.KeyFile),
            (_, _, { Length: > 0 } variable) => new ServerAddress(address, variable, Variables.Key),
            _ => new ServerAddress(address, null, $"--key or {Variables.Key}"),
        };
    }

    private static bool IsSameServer(Uri address, string? other) =>
        Uri.TryCreate(other, UriKind.Absolute, out var known)
        && known.GetLeftPart(UriPartial.Authority) == address.GetLeftPart(UriPartial.Authority);

    private enum Source
    {
        Option,
        Environment,
        Folder,
    }
}
