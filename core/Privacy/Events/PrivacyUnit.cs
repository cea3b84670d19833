using System.Text.Json.Serialization;
using FedServerless.Wire;

namespace FedServerless.Privacy;

/// <summary>What one unit of protection is.</summary>
[JsonConverter(typeof(CamelCaseNames<PrivacyUnit>))]
public enum PrivacyUnit
{
    /// <summary>Everything that one client contributes to all rounds.</summary>
    Client,

    /// <summary>One training example, as in DP-SGD on a device.</summary>
    Example,

    /// <summary>What one client contributes to one round: weaker than <see cref="Client"/> for whoever takes part twice.</summary>
    ClientRound,
}
