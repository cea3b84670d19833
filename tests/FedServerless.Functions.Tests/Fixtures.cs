using FedServerless.Testing.Storage;

[assembly: AssemblyFixture(typeof(AzuriteFixture))]
