using FedServerless.Activities.Clients;
using FedServerless.Gateway.Http;
using FedServerless.Wire;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Clients;

/// <summary>Devices as operators see them, their one-time codes, and the enrolment that turns a code into an identity.</summary>
public sealed class ClientDesk(ClientRegistry clients, Enrolments enrolments, PresenceBook presence, StandingBook standings, GatewayOptions options)
{
    private const int MaxReasonLength = 200;

    internal async Task<Reply> ListAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var population = call.Query("population");
        if (population is not null && !Identifiers.IsValid(population))
        {
            return Reply.Problem(Problems.Invalid(
                "No population has that name.", [new Problem("population", RouteCall.Shorten(population), Identifiers.Rule)]));
        }

        var seen = new Dictionary<string, IReadOnlyDictionary<string, DateTimeOffset>>(StringComparer.Ordinal);
        var views = new List<ClientView>();
        foreach (var client in await clients.ListAsync(population, cancellationToken))
        {
            if (!seen.TryGetValue(client.Population, out var lately))
            {
                lately = seen[client.Population] = await presence.LastSeenAsync(client.Population, cancellationToken);
            }

            views.Add(Show(client, lately));
        }

        return Reply.Json(StatusCodes.Status200OK, new Listing<ClientView>(views), WireJson.Default.ListingClientView);
    }

    internal async Task<Reply> GetAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var name = call.Name("client");
        return await ShowAsync(await clients.FindAsync(name, cancellationToken), name, cancellationToken);
    }

    internal async Task<Reply> RevokeAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var name = call.Name("client");
        return await ShowAsync(await clients.RevokeAsync(name, cancellationToken), name, cancellationToken);
    }

    internal async Task<Reply> QuarantineAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var (name, reason) = (call.Name("client"), call.Query("reason"));
        if (reason?.Length > MaxReasonLength)
        {
            return Reply.Problem(Problems.Invalid(
                "Nothing changed.", [new Problem("reason", RouteCall.Shorten(reason), $"at most {MaxReasonLength} characters")]));
        }

        var client = await clients.QuarantineAsync(name, string.IsNullOrWhiteSpace(reason) ? "an operator wished so" : reason, cancellationToken);
        return client is { State: ClientStates.Revoked }
            ? Reply.Problem(Problems.WrongState($"'{name}' is revoked, which is more than a quarantine."))
            : await ShowAsync(client, name, cancellationToken);
    }

    internal async Task<Reply> ReleaseAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var name = call.Name("client");
        var client = await clients.ReleaseAsync(name, cancellationToken);
        return client is { State: ClientStates.Revoked }
            ? Reply.Problem(Problems.WrongState($"'{name}' is revoked; it takes part again once it enrols with a new code."))
            : await ShowAsync(client, name, cancellationToken);
    }

    internal async Task<Reply> CreateCodeAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var request = call.Read(WireJson.Default.CreateEnrolmentRequest);
        var problems = new List<Problem>();
        if (!Identifiers.IsValid(request.Client))
        {
            problems.Add(new("client", RouteCall.Shorten(request.Client), Identifiers.Rule));
        }

        if (!Identifiers.IsValid(request.Population))
        {
            problems.Add(new("population", RouteCall.Shorten(request.Population), Identifiers.Rule));
        }

        if (!(request.ValidForSeconds >= Enrolments.MinValidForSeconds && request.ValidForSeconds <= Enrolments.MaxValidForSeconds))
        {
            problems.Add(new(
                "validForSeconds", $"{request.ValidForSeconds}", $"{Enrolments.MinValidForSeconds} to {Enrolments.MaxValidForSeconds}"));
        }

        if (problems.Count > 0)
        {
            return Reply.Problem(Problems.Invalid("No code was made.", problems));
        }

        call.Subject = $"clients/{request.Client}";
        var (secret, expiresAt) = await enrolments.CreateAsync(
            request.Client, request.Population, TimeSpan.FromSeconds(request.ValidForSeconds), cancellationToken);
        var code = new EnrolmentCode(ServerUrl(call.Http.Request), request.Client, secret);
        return Reply.Json(
            StatusCodes.Status201Created, new CreateEnrolmentResponse(code.ToString(), expiresAt), WireJson.Default.CreateEnrolmentResponse);
    }

    internal async Task<Reply> EnrolAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var request = call.Read(WireJson.Default.EnrolRequest);
        var (outcome, client, isNew) = await enrolments.EnrolAsync(request.Code, call.Device.Key, cancellationToken);
        if (client is not null)
        {
            call.Subject = $"clients/{client.Client}";
            call.IsRepetition = !isNew;
            call.Detail = $"generation {client.Generation} with key {client.Thumbprint}";
        }

        return outcome switch
        {
            EnrolmentOutcome.Enrolled => Reply.Json(
                StatusCodes.Status200OK, new EnrolResponse(client!.Client, client.Population), WireJson.Default.EnrolResponse),
            EnrolmentOutcome.UsedByAnotherKey => Reply.Problem(Problems.Conflict(
                "/problems/code-used", "The code was used", "Another key enrolled with this code; ask for a new one.")),
            EnrolmentOutcome.Expired => Refuse("The code was not used in time; ask for a new one."),
            EnrolmentOutcome.Superseded => Refuse("The client was enrolled again or revoked since the code was made; ask for a new one."),
            _ => Refuse("There is no such code here."),
        };
    }

    private static Reply Refuse(string detail) => Reply.Problem(new ProblemDetails("/problems/enrolment-code", "The code does not work", 403, detail));

    private Uri ServerUrl(HttpRequest request) =>
        options.PublicUrl ?? new Uri($"{request.Scheme}://{request.Host.ToUriComponent()}{request.PathBase.ToUriComponent()}");

    private async Task<Reply> ShowAsync(ClientDocument? client, string name, CancellationToken cancellationToken)
    {
        if (client is null)
        {
            return Reply.Problem(Problems.NotFound($"There is no client '{name}'."));
        }

        var seen = await presence.LastSeenAsync(client.Population, cancellationToken);
        var standing = await standings.FindAsync(client.Population, name, cancellationToken);
        var view = Show(client, seen) with
        {
            Standing = new StandingView(
                standing.Reliability, standing.Reputation, standing.Invited, standing.Delivered, standing.Refused,
                [.. standing.History.Select(past => new StandingRound(past.Run, past.Round, past.What, past.Reason))]),
        };
        return Reply.Json(StatusCodes.Status200OK, view, WireJson.Default.ClientView);
    }

    private static ClientView Show(ClientDocument client, IReadOnlyDictionary<string, DateTimeOffset> seen) => new(
        client.Client, client.Population, client.State, client.Thumbprint, client.EnrolledAt,
        seen.TryGetValue(client.Client, out var at) ? new DateTimeOffset(at.Ticks - (at.Ticks % TimeSpan.TicksPerMinute), TimeSpan.Zero) : null)
    {
        QuarantineReason = client.State == ClientStates.Quarantined ? client.Reason : null,
    };
}
