using System.Numerics;
using FedServerless.Wire.Updates;

namespace FedServerless.Adaptation;

/// <summary>
/// How large the parts of an upload should be. A part that a lost connection cuts off is sent again from its beginning, and each costs a
/// request: on a link that breaks often or crawls parts are short, on a good one long.
/// </summary>
public static class PartSize
{
    /// <summary>Time that sending one part should take at most, in seconds.</summary>
    public const double MaxSeconds = 16;

    /// <summary>Parts that should get through between two breaks of the link: about half a part is lost at each.</summary>
    public const int PartsPerBreak = 16;

    /// <summary>
    /// The largest power of two from <paramref name="least"/> to <paramref name="most"/> that is at most 16 s of the uplink and a 16th of what
    /// gets through between two breaks; <paramref name="most"/> where neither is known, <paramref name="least"/> where nothing is so small.
    /// </summary>
    /// <param name="least">Smallest part, <see cref="UpdateFormat.MinPartBytes"/> or more.</param>
    /// <param name="most">Largest part, <paramref name="least"/> to <see cref="UpdateFormat.MaxPartBytes"/>.</param>
    /// <param name="upBytesPerSecond">The uplink; null when not measured.</param>
    /// <param name="bytesPerBreak">Bytes that get through between two breaks; null when it has not broken.</param>
    public static int Choose(int least, int most, double? upBytesPerSecond, double? bytesPerBreak)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(least, UpdateFormat.MinPartBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(least, most);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, UpdateFormat.MaxPartBytes);
        var wanted = Math.Min((upBytesPerSecond * MaxSeconds) ?? most, (bytesPerBreak / PartsPerBreak) ?? most);
        if (!(wanted < most))
        {
            return most;
        }

        return wanted <= least ? least : Math.Max(least, 1 << BitOperations.Log2((uint)wanted));
    }
}
