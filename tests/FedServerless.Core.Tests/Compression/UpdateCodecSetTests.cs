using FedServerless.Compression;

namespace FedServerless.Core.Tests.Compression;

public sealed class UpdateCodecSetTests
{
    [Fact]
    public void All_BuiltIn_HaveTheDocumentedNamesAndIds() =>
        Assert.Equal(
            [
                (1, "float32"), (2, "float16"), (3, "int8"), (4, "top-k"), (5, "top-k-float16"), (6, "top-k-int8"),
                (7, "random-k"), (8, "random-k-float16"), (9, "random-k-int8"), (10, "int4"), (11, "ternary"), (12, "sign"),
            ],
            UpdateCodecs.All.Select(codec => ((int)codec.Id, codec.Name)));

    [Fact]
    public void TryGet_NameAndId_FindTheSameCodec()
    {
        foreach (var codec in UpdateCodecs.All)
        {
            Assert.True(UpdateCodecs.All.TryGet(codec.Name, out var byName));
            Assert.True(UpdateCodecs.All.TryGet(codec.Id, out var byId));
            Assert.Same(codec, byName);
            Assert.Same(codec, byId);
        }
    }

    [Theory]
    [InlineData("Float32")]
    [InlineData("")]
    [InlineData("zip")]
    public void Get_UnknownName_ListsWhatThereIs(string name)
    {
        var refused = Assert.Throws<ArgumentException>(() => UpdateCodecs.All.Get(name));

        Assert.Contains("float32, float16, int8", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("int8", 200)]
    [InlineData("mine", 3)]
    public void Constructor_DuplicateNameOrId_Throws(string name, byte id) =>
        Assert.Throws<ArgumentException>(() => new UpdateCodecSet([.. UpdateCodecs.All, new NamedCodec(name, id, 4)]));

    [Fact]
    public void Constructor_OwnCodec_IsFound()
    {
        var own = new NamedCodec("mine", 200, 4);

        Assert.Same(own, new UpdateCodecSet([.. UpdateCodecs.All, own]).Get("mine"));
    }
}
