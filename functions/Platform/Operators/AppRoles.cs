using FedServerless.Gateway.Authentication;
using Microsoft.IdentityModel.JsonWebTokens;

namespace FedServerless.Functions.Platform.Operators;

/// <summary>The app roles of the federation's app registration. People and programs get them in the same claim.</summary>
internal static class AppRoles
{
    /// <summary>Everything.</summary>
    public const string Operator = "Federation.Operator";

    /// <summary>Every GET.</summary>
    public const string Reader = "Federation.Reader";

    /// <summary>Enrolment codes.</summary>
    public const string Enroller = "Federation.Enroller";

    private const string Claim = "roles";

    /// <summary>What a token that was checked allows. Roles of other names are passed over; case matters, as in Entra ID.</summary>
    public static OperatorRoles Read(JsonWebToken token) => token.Claims
        .Where(claim => claim.Type == Claim)
        .Aggregate(OperatorRoles.None, (roles, claim) => roles | claim.Value switch
        {
            Operator => OperatorRoles.Operator,
            Reader => OperatorRoles.Reader,
            Enroller => OperatorRoles.Enroller,
            _ => OperatorRoles.None,
        });
}
