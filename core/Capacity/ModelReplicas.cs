using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace FedServerless.Capacity;

/// <summary>How many copies of a model devices fetch from, and which of them is whose.</summary>
public static class ModelReplicas
{
    /// <summary>Most copies.</summary>
    public const int Max = 64;

    /// <summary>Fetches a second that one copy is planned for: three fifths of <see cref="CapacityModel.BlobRequestsPerSecond"/>, as ranged and repeated fetches come on top.</summary>
    public const double FetchesPerSecond = 0.6 * CapacityModel.BlobRequestsPerSecond;

    /// <summary>Copies for so many fetches a second, 1 to <see cref="Max"/>; 1 is the model itself.</summary>
    public static int Count(double fetchesPerSecond) => (int)Math.Clamp(Math.Ceiling(fetchesPerSecond / FetchesPerSecond), 1, Max);

    /// <summary>
    /// Copies for a round, with hosts paced as they are by default: clients come back within <c>clamp(seen / 50, 5, 600)</c> seconds, so
    /// that is how long the cohort's fetches are spread over.
    /// </summary>
    /// <param name="cohort">Clients that fetch.</param>
    /// <param name="seen">Clients that check in.</param>
    /// <param name="deadlineSeconds">The round's length.</param>
    public static int ForRound(int cohort, int seen, double deadlineSeconds) =>
        Count(cohort / Math.Clamp(Math.Min(seen / 50.0, deadlineSeconds), 5, 600));

    /// <summary>The copy that a client fetches: the first four bytes of SHA-256 of its id, modulo <paramref name="replicas"/>.</summary>
    /// <param name="client">The client.</param>
    /// <param name="replicas">Copies, 1 or more.</param>
    public static int Of(string client, int replicas)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(replicas);
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(client), hash);
        return (int)(BinaryPrimitives.ReadUInt32LittleEndian(hash) % (uint)replicas);
    }
}
