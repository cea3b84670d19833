namespace FedServerless.Storage.Presigned;

/// <summary>Why a pre-signed URL was refused.</summary>
public enum PresignedRefusal
{
    /// <summary>It was not.</summary>
    None = 0,

    /// <summary>Not a URL that this signer makes.</summary>
    Malformed,

    /// <summary>The signature is not ours: tampered with, or signed with another key.</summary>
    BadSignature,

    /// <summary>Ours, but its time is over.</summary>
    Expired,

    /// <summary>Ours and valid, for another method.</summary>
    OtherMethod,
}
