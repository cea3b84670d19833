namespace FedServerless.Privacy;

/// <summary>An ε at a δ, and the order that gave it.</summary>
/// <param name="Epsilon">0 or more.</param>
/// <param name="Delta">The δ asked for.</param>
/// <param name="Order">The order with the least ε.</param>
/// <param name="AtGridEnd">The best order is the first or last of the grid and ε is not 0: a wider grid might give less. Worth a warning.</param>
public readonly record struct RenyiSpend(double Epsilon, double Delta, double Order, bool AtGridEnd)
{
    /// <summary>The price alone.</summary>
    public PrivacySpend Spend => new(Epsilon, Delta);
}
