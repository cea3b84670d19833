using FedServerless.Storage;
using FedServerless.Storage.Files;

namespace FedServerless.LocalHost.Tests.Storage;

public sealed class FilePathsTests
{
    private static readonly string Root = Path.Combine(Path.GetTempPath(), "root");

    [Theory]
    [InlineData("seal.json", "seal.json")]
    [InlineData("runs/r-1/seal.json", "runs+", "r-1+", "seal.json")]
    [InlineData("Ab/cD", "+ab+", "c+d")]
    [InlineData("aux", "+-aux")]
    [InlineData("com1.json", "+-com1.json")]
    [InlineData("NUL.json", "+-+n+u+l.json")]
    [InlineData("con/auxiliary", "con+", "auxiliary")]
    public void ToFile_Name_IsAPathForEveryFileSystem(string name, params string[] path)
    {
        Assert.Equal(Path.Combine([Root, .. path]), new FilePaths(Root).ToFile(name));
    }

    [Fact]
    public void ToFile_AnyTwoNames_DifferEvenWhereCaseDoesNotCount()
    {
        var random = new Random(7);
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (names.Count < 20_000)
        {
            names.Add(RandomName(random));
        }

        var paths = names.Select(new FilePaths(Root).ToFile).ToHashSet(StringComparer.OrdinalIgnoreCase);

        Assert.Equal(names.Count, paths.Count);
    }

    [Fact]
    public void Decode_WhatWasEncoded_IsTheSegment()
    {
        var random = new Random(11);
        var paths = new FilePaths(Root);
        for (var i = 0; i < 20_000; i++)
        {
            var name = RandomName(random);
            var entries = Path.GetRelativePath(Root, paths.ToFile(name)).Split(Path.DirectorySeparatorChar);

            var segments = entries.Select((entry, at) => FilePaths.Decode(entry, folder: at < entries.Length - 1));

            Assert.Equal(name, string.Join('/', segments));
        }
    }

    [Theory]
    [InlineData("runs", true)]
    [InlineData("runs+", false)]
    [InlineData("A", false)]
    [InlineData("+", false)]
    [InlineData("+", true)]
    [InlineData("+-a", false)]
    [InlineData("+A", false)]
    [InlineData("+1", false)]
    [InlineData(".tmp", true)]
    [InlineData("aux", false)]
    public void Decode_WhatNoNameEncodesTo_IsNull(string entry, bool folder)
    {
        Assert.Null(FilePaths.Decode(entry, folder));
    }

    // Few letters and the words that matter, so that collisions would happen if they could.
    private static string RandomName(Random random)
    {
        string[] parts = ["a", "A", "b", "B", "-", ".x", "aux", "AUX", "con", "nul.j", "1", "_", "~"];
        while (true)
        {
            var segments = Enumerable.Range(0, random.Next(1, 5)).Select(_ => string.Concat(Enumerable.Range(0, random.Next(1, 4)).Select(_ => parts[random.Next(parts.Length)])));
            if (string.Join('/', segments) is var name && ObjectName.IsValid(name))
            {
                return name;
            }
        }
    }
}
