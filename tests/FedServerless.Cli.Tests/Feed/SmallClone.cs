namespace FedServerless.Cli.Tests.Feed;

/// <summary>A clone with a solution of one plain and one optional project, a probe, and a feed of its own.</summary>
internal sealed class SmallClone : IDisposable
{
    public SmallClone(string source, string package = "Fed.Sample", string version = "1.0.0")
    {
        Write("FedServerless.sln", """
            Project("{FAE04EC0-301F-11D3-BF4B-00C04F79EFBC}") = "Plain", "plain\Plain.csproj", "{78E5A4FA-ACAE-4035-9827-FE16FD01CFF1}"
            Project("{FAE04EC0-301F-11D3-BF4B-00C04F79EFBC}") = "Extra", "extra\Extra.csproj", "{F05711C7-A8DB-A7E0-5F02-943222C26F30}"
            """);
        Write("plain/Plain.csproj", """<Project Sdk="Microsoft.NET.Sdk" />""");
        Write("extra/Extra.csproj", """<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><FedNeeds>extra</FedNeeds></PropertyGroup></Project>""");
        Write("Directory.Packages.props", $"""
            <Project><PropertyGroup><ManagePackageVersionsCentrally>true</ManagePackageVersionsCentrally></PropertyGroup>
            <ItemGroup><PackageVersion Include="{package}" Version="{version}" /></ItemGroup></Project>
            """);
        Write("eng/probe/extra.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>net10.0</TargetFramework><NuGetAudit>false</NuGetAudit></PropertyGroup>
            <ItemGroup><PackageReference Include="{package}" /></ItemGroup></Project>
            """);
        UseSource(source);
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("fed-feed-").FullName;

    public void UseSource(string source) => Write("nuget.config", $"""
        <configuration>
          <config><add key="globalPackagesFolder" value="packages" /></config>
          <packageSources><clear /><add key="the-feed" value="{source}" protocolVersion="3" allowInsecureConnections="true" /></packageSources>
        </configuration>
        """);

    public string[] Memory() =>
        Directory.Exists(Combine(".fed/feed")) ? [.. Directory.EnumerateFiles(Combine(".fed/feed"), "*.missing").Select(File.ReadAllText)] : [];

    public string Combine(string path) => System.IO.Path.Combine(Path, path);

    public void Write(string path, string text)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Combine(path))!);
        File.WriteAllText(Combine(path), text);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
