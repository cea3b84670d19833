namespace FedServerless.Gateway.Authentication;

/// <summary>The operator that a request comes from.</summary>
/// <param name="Id">Stable and unique, for the audit log: the object id in Entra ID, or <see cref="KeyHolder"/>.</param>
/// <param name="Name">For people; it may change, and two may have the same.</param>
/// <param name="Roles">What it may do.</param>
public sealed record OperatorCaller(string Id, string Name, OperatorRoles Roles)
{
    /// <summary>The id of whoever holds the generated key: it has no names.</summary>
    public const string KeyHolder = "operator-key";

    /// <summary>True when one of its roles is among those that a row asks for.</summary>
    public bool IsAnyOf(OperatorRoles allowed) => (Roles & allowed) != OperatorRoles.None;
}

/// <summary>What an operator may do. On Azure these are the app roles of docs/concepts/operators.md.</summary>
[Flags]
public enum OperatorRoles
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Look: every GET.</summary>
    Reader = 1,

    /// <summary>Make enrolment codes, and nothing else.</summary>
    Enroller = 2,

    /// <summary>Everything.</summary>
    Operator = 4,
}
