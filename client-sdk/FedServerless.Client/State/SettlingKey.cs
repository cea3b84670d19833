using FedServerless.Wire;

namespace FedServerless.Client.State;

/// <summary>What a vector belongs to.</summary>
/// <param name="Model">The model's name; checked, it becomes a file's.</param>
/// <param name="Kind">What the vector is for: one of <see cref="SettlingKinds"/>.</param>
/// <param name="Layout">The model's tensor layout: a model made anew under its name may have another.</param>
internal sealed record SettlingKey(string Model, string Kind, Digest Layout);

/// <summary>Why a device keeps a vector between the rounds of a model.</summary>
internal static class SettlingKinds
{
    /// <summary>What lossy codecs have not sent yet.</summary>
    public const string Residual = "residual";

    /// <summary>The device's control variate of SCAFFOLD.</summary>
    public const string Control = "control";
}
