namespace FedServerless.LocalHost.Tests.Storage;

internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("fed-store-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
