using System.Text.Json.Serialization;
using FedServerless.Wire;

namespace FedServerless.Privacy;

/// <summary>How the cohort of a round is drawn.</summary>
[JsonConverter(typeof(CamelCaseNames<ClientSampling>))]
public enum ClientSampling
{
    /// <summary>Every client by its own secret coin of probability q; a round may be empty. The only one that amplifies.</summary>
    Poisson,

    /// <summary>Exactly m of N clients. Priced without amplification: a sampler without replacement is not a Poisson sampler.</summary>
    FixedSize,

    /// <summary>Everybody, every round.</summary>
    AllClients,
}
