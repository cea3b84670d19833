using System.Text.Json.Serialization;
using FedServerless.Wire;

namespace FedServerless.Privacy;

/// <summary>Which two datasets an ε compares. The same noise protects half as much under <see cref="ReplaceOne"/> as under the others.</summary>
[JsonConverter(typeof(CamelCaseNames<PrivacyAdjacency>))]
public enum PrivacyAdjacency
{
    /// <summary>One unit is there or not: a sum of clipped contributions moves by at most C. The default of this project.</summary>
    AddOrRemoveOne,

    /// <summary>One unit contributes, or contributes zero while it is counted: a sum moves by at most C.</summary>
    ZeroOutOne,

    /// <summary>One unit is exchanged for any other: a sum moves by at most 2C.</summary>
    ReplaceOne,
}
