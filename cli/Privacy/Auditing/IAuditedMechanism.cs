namespace FedServerless.Cli.Privacy.Auditing;

/// <summary>What is audited: updates in, a release out. A test brings broken ones.</summary>
internal interface IAuditedMechanism
{
    /// <summary>Writes the released mean of a round.</summary>
    /// <param name="updates">Of the clients that came; not clipped.</param>
    /// <param name="mean">All coordinates.</param>
    void Release(IEnumerable<float[]> updates, double[] mean);
}
