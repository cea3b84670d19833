using FedServerless.Testing.Storage;

[assembly: AssemblyFixture(typeof(AzuriteFixture))]
[assembly: AssemblyFixture(typeof(FedServerless.Azure.Tests.SecureAzuriteFixture))]
