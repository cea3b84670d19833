using System.Text.Json;
using FedServerless.Client.Http;
using FedServerless.Client.Telemetry;
using FedServerless.Wire;

namespace FedServerless.Client.State;

/// <summary>Enrols a device, or finds that it has been.</summary>
internal static class Enrolment
{
    public static async Task<Identity> CompleteAsync(
        StateFolder state, EnrolmentCode code, FedClientOptions options, CancellationToken cancellationToken)
    {
        var file = new IdentityFile(state);
        if (file.Enrolled is { } enrolled)
        {
            if (enrolled.CodeHash == IdentityFile.HashOf(code))
            {
                return enrolled;
            }

            if (enrolled.Client != code.Client || enrolled.Server != code.Server.ToString())
            {
                throw new FedClientException(
                    $"The state folder '{state.Path}' belongs to client '{enrolled.Client}' of {enrolled.Server}, the code to '{code.Client}' of {code.Server}. Use another folder.");
            }
        }

        var identity = file.Begin(code);
        var answer = await SendAsync(code, identity, options, cancellationToken).ConfigureAwait(false);
        if (answer.Client != code.Client)
        {
            throw new FedClientException($"The server enrolled '{answer.Client}', the code is for '{code.Client}'. Ask its operator.");
        }

        identity = identity with { Population = answer.Population };
        file.Complete(identity);
        return identity;
    }

    private static async Task<EnrolResponse> SendAsync(
        EnrolmentCode code, Identity identity, FedClientOptions options, CancellationToken cancellationToken)
    {
        var events = new ClientEvents(options.OnEvent);
        using var http = DeviceHttp.Create(options, events);
        using var signer = new RequestSigner(identity.PrivateKey);
        var retries = new RetryPolicy(options, events);
        var connection = new DeviceConnection(http, new ServerUrls(code.Server), signer, client: null, options, retries);
        var (x, y) = signer.PublicKey();
        var body = JsonSerializer.SerializeToUtf8Bytes(new EnrolRequest(code.Secret, x, y), WireJson.Default.EnrolRequest);
        var answer = await connection.CallAsync(
            new ApiCall("enrol", HttpMethod.Post, "enrol", body),
            WireJson.Default.EnrolResponse,
            Deadline.Never(options.TimeProvider),
            cancellationToken).ConfigureAwait(false);
        return answer.Body;
    }
}
