using System.Text.Json.Serialization;
using FedServerless.Wire;

namespace FedServerless.Privacy;

/// <summary>Against whom an ε holds. Every report gives one for each.</summary>
[JsonConverter(typeof(CamelCaseNames<PrivacyAdversary>))]
public enum PrivacyAdversary
{
    /// <summary>Holds every released model, and knows nothing of who was sampled.</summary>
    ModelHolder,

    /// <summary>
    /// Also sees cohort, receipts or check-in replies: the operator, a reader of the storage, the network. What it learns is
    /// that a client took part; what stays protected is the contribution, and sampling amplifies nothing.
    /// </summary>
    CohortObserver,
}
