using Spectre.Console;

namespace FedServerless.Cli.Output;

/// <summary>One line that says what is going on, below the rows; nothing where the output is no terminal.</summary>
internal static class LiveStatus
{
    /// <summary>Runs <paramref name="work"/>, which may change the line at any time, and write rows with <see cref="Shell.WriteLine(string)"/>.</summary>
    public static Task<T> RunAsync<T>(Shell shell, bool quiet, string first, Func<Action<string>, Task<T>> work) =>
        quiet || !shell.Console.Profile.Capabilities.Interactive
            ? work(_ => { })
            : shell.Console.Status().StartAsync(Markup.Escape(first), context => work(line => context.Status(Markup.Escape(line))));
}
