using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Authentication;

/// <summary>Tells whether a request comes from an operator: a generated key locally, Entra ID on Azure.</summary>
public interface IOperatorAuthenticator
{
    /// <summary>True when it does.</summary>
    Task<bool> IsOperatorAsync(HttpContext context, CancellationToken cancellationToken);
}
