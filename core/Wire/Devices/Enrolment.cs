namespace FedServerless.Wire;

/// <summary>A device turns its one-time code and its own key into an identity: <c>POST enrol</c>, signed by that key.</summary>
/// <param name="Code">The code's secret part; see <see cref="EnrolmentCode"/>.</param>
/// <param name="X">The P-256 public key's x, 32 bytes, base64url.</param>
/// <param name="Y">The P-256 public key's y, 32 bytes, base64url.</param>
public sealed record EnrolRequest(string Code, string X, string Y);

/// <summary>The identity given. Sending the same code and key again repeats it.</summary>
/// <param name="Client">The client id: the stable name in the code.</param>
/// <param name="Population">The population it belongs to.</param>
public sealed record EnrolResponse(string Client, string Population);
