using FedServerless.Gateway.Http;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Authentication;

/// <summary>Tells which operator a request comes from: the holder of a generated key locally, somebody known to Entra ID on Azure.</summary>
public interface IOperatorAuthenticator
{
    /// <summary>The operator; null when the request carries nothing that proves one.</summary>
    /// <exception cref="ProblemException">
    /// 401 with what is wrong with the proof, or 503 while it cannot be checked: nobody is let in on trust.
    /// </exception>
    Task<OperatorCaller?> AuthenticateAsync(HttpContext context, CancellationToken cancellationToken);
}
