namespace FedServerless.Storage.Presigned;

/// <summary>Limits that every backend's pre-signed URLs share.</summary>
public static class PresignLimits
{
    /// <summary>The longest that a URL may be valid: one day.</summary>
    public static readonly TimeSpan MaxValidFor = TimeSpan.FromDays(1);

    /// <summary>The shortest: one second, the resolution of the expiry.</summary>
    public static readonly TimeSpan MinValidFor = TimeSpan.FromSeconds(1);

    /// <summary>Throws unless <paramref name="validFor"/> lies between <see cref="MinValidFor"/> and <see cref="MaxValidFor"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It does not.</exception>
    public static void ThrowIfOutOfRange(TimeSpan validFor)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(validFor, MinValidFor);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(validFor, MaxValidFor);
    }
}
