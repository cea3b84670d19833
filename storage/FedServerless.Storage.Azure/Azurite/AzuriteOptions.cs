namespace FedServerless.Storage.Azure.Azurite;

/// <summary>How to start Azurite's blob service.</summary>
public sealed record AzuriteOptions
{
    /// <summary>The folder with the pinned <c>package.json</c> and <c>package-lock.json</c> (<c>eng/azurite</c>); its <c>node_modules</c> is made on first use.</summary>
    public required string Installation { get; init; }

    /// <summary>Where Azurite keeps its data; created when absent.</summary>
    public required string DataFolder { get; init; }

    /// <summary>The port on 127.0.0.1. Default 0: any free one, kept over <see cref="AzuriteProcess.RestartAsync"/>.</summary>
    public int BlobPort { get; init; }

    /// <summary>A PEM certificate; with it Azurite speaks HTTPS and takes Entra tokens (whose signatures it does not check).</summary>
    public string? CertificateFile { get; init; }

    /// <summary>The PEM key of <see cref="CertificateFile"/>.</summary>
    public string? CertificateKeyFile { get; init; }
}
