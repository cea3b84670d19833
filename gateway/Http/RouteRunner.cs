using FedServerless.Activities.Metering;
using FedServerless.Gateway.Audit;
using FedServerless.Gateway.Authentication;
using FedServerless.Gateway.Limits;
using FedServerless.Gateway.Repeats;
using FedServerless.Privacy;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Engine;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FedServerless.Gateway.Http;

/// <summary>Runs one row of the table: policy, body, handler, answer. The only place where exceptions become answers.</summary>
public sealed partial class RouteRunner(
    IOperatorAuthenticator operators, DeviceAuthenticator devices, RequestGate gate, AnsweredRequests answered, RequestAudit audit,
    IServerSecrets secrets, GatewayOptions options, UsageBook usage, ILogger<RouteRunner> logger)
{
    /// <summary>When to ask again while the host lacks something: it looks for it about as often.</summary>
    private const string RetryUnavailableAfterSeconds = "15";

    /// <summary>Answers a request, and counts what that takes.</summary>
    public async Task RunAsync(Route route, HttpContext http, IWorkflowClient workflows)
    {
        // For which round is known once the device was admitted to one: a path alone is a stranger's claim.
        using (usage.Meter.Enter(null, 0))
        {
            await AnswerAsync(route, http, workflows);
        }

        try
        {
            await usage.FlushDueAsync(http.RequestAborted);
        }
        catch (Exception exception) when (!http.RequestAborted.IsCancellationRequested)
        {
            LogNotCounted(logger, exception);
        }
        catch (OperationCanceledException)
        {
            // The device has gone; the next request writes what is due.
        }
    }

    private async Task AnswerAsync(Route route, HttpContext http, IWorkflowClient workflows)
    {
        var cancellationToken = http.RequestAborted;
        using var telemetry = RequestTelemetry.Start(route);
        Reply reply;
        try
        {
            var sender = gate.Sender(http);
            RouteCall? call = null;
            try
            {
                gate.Enter(http.Request, sender);
                if (route.Policy is RoutePolicy.Device or RoutePolicy.DeviceEnrol)
                {
                    await secrets.WaitAsync(cancellationToken);
                    http.Response.Headers[DeviceApi.NonceHeader] = devices.FreshNonce();
                }

                call = await AdmitAsync(route, http, sender, workflows, cancellationToken);

                // What is written down is carried out to its end: who hangs up in the middle must not leave a change without its record.
                reply = route switch
                {
                    { Policy: RoutePolicy.Operator, Method: not "GET" } => await answered.AnswerAsync(route, call, CancellationToken.None),
                    { Policy: RoutePolicy.DeviceEnrol } => await route.Handler(call, CancellationToken.None),
                    _ => await route.Handler(call, cancellationToken),
                };
            }
            catch (ProblemException refused)
            {
                reply = Refuse(route, refused);
            }
            catch (Exception exception) when (call is not null && route is { Policy: RoutePolicy.Operator, Method: not "GET" })
            {
                // It may have changed something before it failed, so it is written down like any other.
                reply = Answer(Explain(route, http, exception));
            }

            if (IsRefusedProof(reply.ProblemType))
            {
                gate.Refuse(sender);
            }

            await audit.NoteAsync(route, http, call, sender, reply, CancellationToken.None);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return;
        }
        catch (ConnectionResetException)
        {
            // The same, met while its body was read: whoever hung up needs no answer, and this host has not failed.
            return;
        }
        catch (Exception exception)
        {
            reply = Answer(Explain(route, http, exception));
        }

        telemetry.Answered(reply);
        if (!cancellationToken.IsCancellationRequested)
        {
            await reply.ExecuteAsync(http);
        }
    }

    // A stale nonce or clock is how an honest device finds out; these are how somebody tries doors.
    private static bool IsRefusedProof(string? type) => type is "/problems/authentication" or "/problems/revoked" or "/problems/enrolment-code";

    private static Reply Answer(ProblemDetails problem) => problem.Status == StatusCodes.Status503ServiceUnavailable
        ? Reply.Problem(problem).With("Retry-After", RetryUnavailableAfterSeconds)
        : Reply.Problem(problem);

    private static Reply Refuse(Route route, ProblemException refused)
    {
        var reply = Answer(refused.Problem);
        if (refused.Problem.Status == StatusCodes.Status401Unauthorized)
        {
            reply.With("WWW-Authenticate", route.Policy == RoutePolicy.Operator ? "Bearer" : DeviceApi.AuthorizationScheme);
        }

        return refused.RetryAfterSeconds is { } seconds ? reply.With("Retry-After", $"{seconds}") : reply;
    }

    private async Task<RouteCall> AdmitAsync(
        Route route, HttpContext http, SenderAddress sender, IWorkflowClient workflows, CancellationToken cancellationToken)
    {
        DeviceCaller? device = null;
        OperatorCaller? caller = null;
        byte[] body;
        switch (route.Policy)
        {
            case RoutePolicy.Device:
                // Who signed is known before a byte of the body is read, so that strangers cannot make the server hold anything.
                var proof = await devices.IdentifyAsync(http.Request, cancellationToken);
                body = await RequestBody.ReadAsync(http.Request, DeviceApi.MaxBodyBytes, cancellationToken);
                device = devices.Check(http.Request, proof, body);
                gate.AdmitDevice(sender, device.Client);
                if (device.Quarantine is { } reason && !route.InQuarantine)
                {
                    throw new ProblemException(Problems.Quarantined(device.Client, reason));
                }

                break;
            case RoutePolicy.DeviceEnrol:
                body = await RequestBody.ReadAsync(http.Request, DeviceAuthenticator.MaxEnrolBodyBytes, cancellationToken);
                device = devices.CheckEnrolment(http.Request, body);
                break;
            case RoutePolicy.Operator:
                caller = await operators.AuthenticateAsync(http, cancellationToken)
                    ?? throw new ProblemException(Problems.Unauthenticated("This route needs an operator's key or token: Authorization: Bearer KEY."));
                if (!caller.IsAnyOf(route.Roles))
                {
                    throw new ProblemException(Problems.Role(route.Roles, caller.Roles));
                }

                gate.AdmitOperator(sender, caller.Id);
                body = await RequestBody.ReadAsync(http.Request, DeviceApi.MaxBodyBytes, cancellationToken);
                break;
            default:
                body = [];
                break;
        }

        return new RouteCall(http, workflows, body, device, caller);
    }

    private ProblemDetails Explain(Route route, HttpContext http, Exception exception)
    {
        switch (exception)
        {
            case BadHttpRequestException bad:
                return Problems.Transport(bad.StatusCode);
            case SecretsUnavailableException none:
                LogNoSecrets(logger, route.Name, none.Message);
                return Problems.Unavailable(none.Message);
            case var failed when options.ExplainFailure(failed) is { } sentence:
                LogUnavailable(logger, route.Name, sentence, failed);
                return Problems.Unavailable(sentence);
            case LedgerBrokenException broken:
                LogLedgerBroken(logger, route.Name, broken.Message);
                return Problems.LedgerBroken(broken.Message);
            case StoreFullException:
            case var full when options.IsStoreFull(full):
                LogFull(logger, route.Name, exception);
                return Problems.StoreFull();
            default:
                LogFailed(logger, route.Name, http.TraceIdentifier, exception);
                return Problems.Internal(http.TraceIdentifier);
        }
    }

    [LoggerMessage(3003, LogLevel.Warning, "What requests used could not be written; it is tried again")]
    private static partial void LogNotCounted(ILogger logger, Exception exception);

    [LoggerMessage(3001, LogLevel.Error, "{Route} failed ({Trace})")]
    private static partial void LogFailed(ILogger logger, string route, string trace, Exception exception);

    [LoggerMessage(3004, LogLevel.Error, "{Route} was refused: {Reason}")]
    private static partial void LogNoSecrets(ILogger logger, string route, string reason);

    [LoggerMessage(3005, LogLevel.Error, "{Route} was refused: {Reason}")]
    private static partial void LogUnavailable(ILogger logger, string route, string reason, Exception exception);

    [LoggerMessage(3006, LogLevel.Critical, "{Route} was refused: {Reason}")]
    private static partial void LogLedgerBroken(ILogger logger, string route, string reason);

    [LoggerMessage(3002, LogLevel.Error, "{Route}: the store is full")]
    private static partial void LogFull(ILogger logger, string route, Exception exception);
}
