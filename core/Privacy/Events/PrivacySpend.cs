namespace FedServerless.Privacy;

/// <summary>A price: (ε, δ)-differential privacy. <c>default</c> is nothing spent.</summary>
/// <param name="Epsilon">0 or more; infinite when nothing is promised.</param>
/// <param name="Delta">In [0, 1).</param>
public readonly record struct PrivacySpend(double Epsilon, double Delta);
