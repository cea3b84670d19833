using FedServerless.Local.Engine.Journal;
using FedServerless.Testing.Engine;

namespace FedServerless.LocalHost.Tests.Engine;

public sealed class InMemoryEngineConformanceTests : EngineConformanceTests
{
    protected override ValueTask<IEngineFixture> CreateAsync() => ValueTask.FromResult<IEngineFixture>(new WorkflowEnvironment());
}

public sealed class SqliteEngineConformanceTests : EngineConformanceTests
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fed-engine-");

    protected override ValueTask<IEngineFixture> CreateAsync() => ValueTask.FromResult<IEngineFixture>(
        new WorkflowEnvironment(openJournal: () => new SqliteJournal(Path.Combine(_folder.FullName, "journal.db"))));

    protected override ValueTask CleanUpAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }
}
