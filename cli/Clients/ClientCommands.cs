using System.CommandLine;
using System.Globalization;
using FedServerless.Cli.Server;
using FedServerless.Wire;

namespace FedServerless.Cli.Clients;

/// <summary><c>fed client</c> and <c>fed enrol</c>: who may take part.</summary>
internal static class ClientCommands
{
    public static Command Create(Shell shell) => new("client", "See, quarantine and revoke devices.") { List(shell), Show(shell), Quarantine(shell), Release(shell), Revoke(shell) };

    public static Command CreateEnrol(Shell shell)
    {
        var name = new Argument<string>("name") { Description = "The client's id; an id that exists gets a new key." };
        var population = new Option<string>("--population") { Description = "Where it belongs.", HelpName = "NAME", DefaultValueFactory = _ => "default" };
        var ttl = new Option<TimeSpan>("--ttl")
        {
            Description = "How long the code works: 90s, 15m, 12h or 2d.",
            HelpName = "TIME",
            DefaultValueFactory = _ => TimeSpan.FromDays(1),
            CustomParser = result => Durations.Read(result, "--ttl"),
        };
        return new ServerOptions(shell).Command("enrol", "Make a one-time code that enrols a device.", [name, population, ttl], async (parsed, server, answer, token) =>
        {
            var request = new CreateEnrolmentRequest(parsed.GetRequiredValue(name), parsed.GetRequiredValue(population), parsed.GetValue(ttl).TotalSeconds);
            var response = await server.CreateEnrolmentAsync(request, token);
            return answer.Write(response, WireJson.Default.CreateEnrolmentResponse, code =>
            {
                // The code alone goes to the output, so that a script can catch it without --json.
                shell.Output.WriteLine(code.Code);
                shell.Error.WriteLine($"Works once, until {code.ExpiresAt.ToString("u", CultureInfo.InvariantCulture)}. Give it to the device: FedClient.EnrolAsync(code, folder).");
            });
        });
    }

    private static Command List(Shell shell)
    {
        var population = new Option<string?>("--population") { Description = "Only this population's.", HelpName = "NAME" };
        return new ServerOptions(shell).Command("list", "List the devices.", [population], async (parsed, server, answer, token) =>
            answer.Write(
                await server.ListClientsAsync(parsed.GetValue(population), token),
                WireJson.Default.ListingClientView,
                clients => answer.WriteTable(
                    "No client has enrolled. Make a code with: fed enrol NAME",
                    ["client", "population", "state", "enrolled", "last seen"],
                    clients.Items.Select(client => (IReadOnlyList<string?>)
                    [
                        client.Client, client.Population, client.State,
                        client.EnrolledAt.ToString("u", CultureInfo.InvariantCulture), client.LastSeen?.ToString("u", CultureInfo.InvariantCulture),
                    ]))));
    }

    private static Command Show(Shell shell)
    {
        var client = new Argument<string>("client") { Description = "The client's id." };
        return new ServerOptions(shell).Command("show", "Show a device and what its rounds say of it.", [client], async (parsed, server, answer, token) =>
            answer.Write(await server.GetClientAsync(parsed.GetRequiredValue(client), token), WireJson.Default.ClientView, view =>
            {
                shell.Output.WriteLine($"{view.Client} of {view.Population}: {view.State}{(view.QuarantineReason is { } reason ? $", {reason}" : "")}");
                if (view.Standing is not { } standing)
                {
                    return;
                }

                shell.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"Reliability {standing.Reliability:F2}, reputation {standing.Reputation:F2}; asked {standing.Invited} times, delivered {standing.Delivered}, refused {standing.Refused}."));
                answer.WriteTable(
                    "No round has asked it yet.", ["run", "round", "what", "reason"],
                    standing.History.Select(past => (IReadOnlyList<string?>)[past.Run, past.Round.ToString(CultureInfo.InvariantCulture), past.What, past.Reason]));
            }));
    }

    private static Command Quarantine(Shell shell)
    {
        var client = new Argument<string>("client") { Description = "The client's id." };
        var reason = new Option<string?>("--reason") { Description = "Why, for people: at most 200 characters.", HelpName = "TEXT" }.NotBlank();
        return new ServerOptions(shell).Command("quarantine", "Give a device no work until it is released.", [client, reason], async (parsed, server, answer, token) =>
            answer.Write(
                await server.QuarantineClientAsync(parsed.GetRequiredValue(client), parsed.GetValue(reason), token),
                WireJson.Default.ClientView,
                view => shell.Output.WriteLine($"{view.Client} is {view.State}: {view.QuarantineReason}")));
    }

    private static Command Release(Shell shell)
    {
        var client = new Argument<string>("client") { Description = "The client's id." };
        return new ServerOptions(shell).Command("release", "End a device's quarantine.", [client], async (parsed, server, answer, token) =>
            answer.Write(
                await server.ReleaseClientAsync(parsed.GetRequiredValue(client), token),
                WireJson.Default.ClientView,
                view => shell.Output.WriteLine($"{view.Client} is {view.State}.")));
    }

    private static Command Revoke(Shell shell)
    {
        var client = new Argument<string>("client") { Description = "The client's id." };
        return new ServerOptions(shell).Command("revoke", "Shut a device out until it enrols with a new code.", [client], async (parsed, server, answer, token) =>
            answer.Write(
                await server.RevokeClientAsync(parsed.GetRequiredValue(client), token),
                WireJson.Default.ClientView,
                revoked => shell.Output.WriteLine($"{revoked.Client} is {revoked.State}.")));
    }
}
