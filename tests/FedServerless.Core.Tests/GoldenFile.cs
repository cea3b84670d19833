namespace FedServerless.Core.Tests;

/// <summary>Files that pin a format: kept beside the tests, copied beside the test program, never rewritten by it.</summary>
internal static class GoldenFile
{
    /// <summary>Fails when <paramref name="actual"/> is not the file's content; leaves what would be it beside the copy.</summary>
    public static void Check(string path, byte[] actual)
    {
        var golden = Path.Combine(AppContext.BaseDirectory, path);
        var expected = File.Exists(golden) ? File.ReadAllBytes(golden) : [];
        if (!expected.AsSpan().SequenceEqual(actual))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(golden)!);
            File.WriteAllBytes(golden + ".actual", actual);
            Assert.Fail($"The format changed: {golden} has {expected.Length} bytes, {golden}.actual has {actual.Length}. A change needs a new format version.");
        }
    }
}
