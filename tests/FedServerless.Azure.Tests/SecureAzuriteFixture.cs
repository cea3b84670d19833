using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Azure.Core.Pipeline;
using FedServerless.Storage.Azure;
using FedServerless.Storage.Azure.Azurite;
using FedServerless.Testing.Storage;

namespace FedServerless.Azure.Tests;

/// <summary>A second Azurite that speaks HTTPS and takes Entra tokens, with a certificate made for the occasion.</summary>
public sealed class SecureAzuriteFixture : AzuriteFixture, IDisposable
{
    private readonly X509Certificate2 _certificate = MakeCertificate();
    private readonly string _folder = Directory.CreateTempSubdirectory("fed-certificate-").FullName;

    /// <summary>A client that trusts this one certificate and no other.</summary>
    public HttpClient NewClient() => new(new HttpClientHandler
    {
        ServerCertificateCustomValidationCallback = (_, presented, _, _) => presented?.Thumbprint == _certificate.Thumbprint,
    });

    public async Task<AzureBlobStoreOptions> NewOptionsAsync(CancellationToken cancellationToken)
    {
        var azurite = await StartedAsync(cancellationToken);
        return new AzureBlobStoreOptions
        {
            ServiceUri = azurite.ServiceUri,
            Credential = new UnsignedTokenCredential(),
            Container = NewContainer(),
            ConfigureClient = client => client.Transport = new HttpClientTransport(NewClient()),
        };
    }

    public void Dispose()
    {
        _certificate.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    protected override AzuriteOptions Configure(AzuriteOptions options)
    {
        var (certificate, key) = (Path.Combine(_folder, "certificate.pem"), Path.Combine(_folder, "key.pem"));
        File.WriteAllText(certificate, _certificate.ExportCertificatePem());
        File.WriteAllText(key, _certificate.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem());
        return options with { CertificateFile = certificate, CertificateKeyFile = key };
    }

    private static X509Certificate2 MakeCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
