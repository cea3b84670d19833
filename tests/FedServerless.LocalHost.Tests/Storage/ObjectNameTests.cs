using FedServerless.Storage;

namespace FedServerless.LocalHost.Tests.Storage;

public sealed class ObjectNameTests
{
    [Theory]
    [InlineData(1, true)]
    [InlineData(ObjectName.MaxSegmentLength - 1, true)]
    [InlineData(ObjectName.MaxSegmentLength, true)]
    [InlineData(ObjectName.MaxSegmentLength + 1, false)]
    public void IsValid_SegmentLength_HasALimit(int length, bool expected)
    {
        Assert.Equal(expected, ObjectName.IsValid("a/" + new string('x', length)));
    }

    [Theory]
    [InlineData(ObjectName.MaxLength - 1, true)]
    [InlineData(ObjectName.MaxLength, true)]
    [InlineData(ObjectName.MaxLength + 1, false)]
    public void IsValid_Length_HasALimit(int length, bool expected)
    {
        var name = string.Join('/', Enumerable.Repeat(new string('x', 99), 6))[..length];

        Assert.Equal(expected, ObjectName.IsValid(name));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("a", true)]
    [InlineData("a/", true)]
    [InlineData("a.", true)]
    [InlineData("a/b", true)]
    [InlineData("/", false)]
    [InlineData("a//", false)]
    [InlineData("a./", false)]
    [InlineData(".", false)]
    [InlineData("a/.", false)]
    [InlineData("a b", false)]
    [InlineData(null, false)]
    public void IsValidPrefix_AnyText_IsTrueOfBeginningsOfNames(string? prefix, bool expected)
    {
        Assert.Equal(expected, ObjectName.IsValidPrefix(prefix));
    }
}
