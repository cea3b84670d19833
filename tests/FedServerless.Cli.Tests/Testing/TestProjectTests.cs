using FedServerless.Cli.Testing;

namespace FedServerless.Cli.Tests.Testing;

public sealed class TestProjectTests : IDisposable
{
    private readonly string _repository = Directory.CreateTempSubdirectory("fed-tests-").FullName;

    public void Dispose() => Directory.Delete(_repository, recursive: true);

    [Fact]
    public void Find_Projects_AreInOrderOfNameWithTheirProcessors()
    {
        Write("B.Tests", "<Project />");
        Write("A.Tests", "<Project><PropertyGroup><FedTestProcessors>64</FedTestProcessors></PropertyGroup></Project>");
        Write("Testing", "<Project />");

        Assert.Equal([("A.Tests", 64), ("B.Tests", null)], TestProject.Find(_repository).Select(project => (project.Name, project.Processors)));
    }

    [Fact]
    public void Start_ProjectWithProcessors_TellsItsProgram()
    {
        var project = new TestProject("A.Tests", "/r/A.Tests.dll", "/r/A.Tests.xml", 64);

        Assert.Equal("64", TestProgram.Start(project, new TestOptions()).Environment["DOTNET_PROCESSOR_COUNT"]);
        Assert.Equal(
            Environment.GetEnvironmentVariable("DOTNET_PROCESSOR_COUNT"),
            TestProgram.Start(project with { Processors = null }, new TestOptions()).Environment.TryGetValue("DOTNET_PROCESSOR_COUNT", out var own) ? own : null);
    }

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.Combine(_repository, "tests", name));
        File.WriteAllText(Path.Combine(_repository, "tests", name, $"{name}.csproj"), text);
    }
}
