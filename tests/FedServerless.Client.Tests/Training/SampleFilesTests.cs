using System.IO.Compression;
using System.Text;
using FedServerless.Client.Training;

namespace FedServerless.Client.Tests.Training;

public sealed class SampleFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fed-samples-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void ReadCsv_TheDigits_HasTheirKnownShapeAndClasses()
    {
        var digits = TrainingSamples.Digits;

        Assert.Equal((1797, 64, 10), (digits.Count, digits.FeatureCount, digits.ClassCount));
        Assert.Equal([178, 182, 177, 183, 181, 182, 181, 179, 174, 180], digits.Labels.ToArray().CountBy(label => label).OrderBy(pair => pair.Key).Select(pair => pair.Value));
        Assert.Equal([0f, 0f, 5 / 16f, 13 / 16f], digits.Features(0)[..4].ToArray());
    }

    [Theory]
    [InlineData("1,2,0\n3,4,1\n")]
    [InlineData("1,2,0\r\n\r\n3,4,1")]
    [InlineData(" 1, 2,0\n3,4,1 \n")]
    public void ReadCsv_LegalVariants_ReadTheSame(string text)
    {
        var samples = SampleFiles.ReadCsv(Write("a.csv", Encoding.UTF8.GetBytes(text)), 2, scale: 0.5);

        Assert.Equal([0.5f, 1f, 1.5f, 2f], [.. samples.Features(0), .. samples.Features(1)]);
        Assert.Equal([0, 1], samples.Labels.ToArray());
    }

    [Theory]
    [InlineData("", "no sample")]
    [InlineData("1\n", "Line 1")]
    [InlineData("1,2,0\n1,0\n", "Line 2")]
    [InlineData("1,x,0\n", "Line 1 holds 'x'")]
    [InlineData("1,NaN,0\n", "Line 1 holds 'NaN'")]
    [InlineData("1,1e39,0\n", "Line 1 holds '1e39'")]
    [InlineData("1,2,-1\n", "Line 1")]
    [InlineData("1,2,1.5\n", "Line 1")]
    [InlineData("1,2,0\n1,2,3\n", "Line 2 has the label 3")]
    public void ReadCsv_Illegal_ThrowsNamingTheLine(string text, string expected)
    {
        var failure = Assert.Throws<InvalidDataException>(() => SampleFiles.ReadCsv(Write("a.csv", Encoding.UTF8.GetBytes(text)), 3));
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ReadIdx_PlainOrZipped_ReadsImagesAndLabels(bool zipped)
    {
        var images = Write("images", Idx([2, 2, 1], [0, 255, 51, 102]), zipped);
        var labels = Write("labels", Idx([2], [1, 0]), zipped);

        var samples = SampleFiles.ReadIdx(images, labels, 2);

        Assert.Equal((2, 2, 2), (samples.Count, samples.FeatureCount, samples.ClassCount));
        Assert.Equal([0f, 1f], samples.Features(0).ToArray());
        Assert.Equal([0.2f, 0.4f], samples.Features(1).ToArray());
        Assert.Equal([1, 0], samples.Labels.ToArray());
    }

    public static TheoryData<byte[], byte[]> IllegalIdx => new()
    {
        { [], Idx([2], [1, 0]) },
        { [0, 0, 8], Idx([2], [1, 0]) },
        { [0, 0, 9, 2, 0, 0, 0, 2, 0, 0, 0, 1, 1, 1], Idx([2], [1, 0]) },
        { [0, 0, 8, 2, 0, 0, 0, 2], Idx([2], [1, 0]) },
        { Idx([2, 2], [1, 2, 3]), Idx([2], [1, 0]) },
        { Idx([2, 2], [1, 2, 3, 4, 5]), Idx([2], [1, 0]) },
        { Idx([-1, -1], [1]), Idx([1], [1]) },
        { Idx([int.MaxValue, int.MaxValue, int.MaxValue], [1]), Idx([1], [1]) },
        { Idx([2, 1], [1, 2]), Idx([3], [1, 0, 1]) },
        { Idx([2], [1, 2]), Idx([2], [1, 0]) },
        { Idx([2, 1], [1, 2]), Idx([2], [1, 2]) },
        { Idx([0, 1], []), Idx([0], []) },
    };

    [Theory]
    [MemberData(nameof(IllegalIdx), DisableDiscoveryEnumeration = true)]
    public void ReadIdx_Illegal_Throws(byte[] images, byte[] labels) => Assert.Throws<InvalidDataException>(
        () => SampleFiles.ReadIdx(Write("images", images), Write("labels", labels), 2));

    private static byte[] Idx(int[] shape, byte[] content)
    {
        var header = new List<byte> { 0, 0, 8, (byte)shape.Length };
        foreach (var size in shape)
        {
            header.AddRange([(byte)(size >> 24), (byte)(size >> 16), (byte)(size >> 8), (byte)size]);
        }

        return [.. header, .. content];
    }

    private string Write(string name, byte[] content, bool zipped = false)
    {
        var path = Path.Combine(_folder, name);
        using var file = File.Create(path);
        using Stream target = zipped ? new GZipStream(file, CompressionLevel.Fastest) : file;
        target.Write(content);
        return path;
    }
}
