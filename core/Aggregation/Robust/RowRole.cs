namespace FedServerless.Aggregation.Robust;

/// <summary>Rows that a rule needs beside the clients' updates.</summary>
public enum RowRole
{
    /// <summary>All zeros, so that norms and angles can be read off the inner products.</summary>
    Zero = 0,

    /// <summary>The trusted client's update, FLTrust's root.</summary>
    Root,

    /// <summary>The previous round's aggregate, where centered clipping starts.</summary>
    Previous,
}
