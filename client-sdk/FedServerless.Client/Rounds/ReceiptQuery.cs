using FedServerless.Client.Http;
using FedServerless.Wire;

namespace FedServerless.Client.Rounds;

/// <summary>Asks what became of this client's update of a round.</summary>
internal sealed class ReceiptQuery(DeviceConnection connection, FedClientOptions options)
{
    public async Task<ReceiptStatus> AskAsync(string run, int round, CancellationToken cancellationToken)
    {
        var call = new ApiCall("receipt", HttpMethod.Get, $"runs/{run}/rounds/{round}/receipts/mine", []);
        var answer = await connection.CallAsync(
            call, WireJson.Default.ReceiptStatus, Deadline.Never(options.TimeProvider), cancellationToken).ConfigureAwait(false);
        return answer.Body;
    }
}
