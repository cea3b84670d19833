using System.Buffers.Text;
using System.Text;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Wire;

public class EnrolmentCodeTests
{
    [Theory]
    [InlineData("http://localhost:5070/")]
    [InlineData("https://fed.example.org/base/")]
    public void TryParse_WhatToStringWrote_ComesBack(string server)
    {
        var code = new EnrolmentCode(new Uri(server), "client-1", "c2VjcmV0");

        Assert.True(EnrolmentCode.TryParse(code.ToString(), out var parsed));
        Assert.Equal(code, parsed);
    }

    [Fact]
    public void ToString_Code_IsTheDocumentedText() => Assert.Equal(
        "fed1." + Base64Url.EncodeToString("http://h/\nc\ns"u8), new EnrolmentCode(new Uri("http://h/"), "c", "s").ToString());

    [Theory]
    [InlineData("http://h/\nclient")]
    [InlineData("http://h/\nclient\nsecret\nmore")]
    [InlineData("http://h/\nclient\n")]
    [InlineData("http://h/\nClient\nsecret")]
    [InlineData("http://h/\n../x\nsecret")]
    [InlineData("ftp://h/\nclient\nsecret")]
    [InlineData("file:///etc/passwd\nclient\nsecret")]
    [InlineData("/relative\nclient\nsecret")]
    [InlineData("\nclient\nsecret")]
    [InlineData("")]
    public void TryParse_ContentThatIsNoCode_IsRefused(string content)
    {
        Assert.False(EnrolmentCode.TryParse("fed1." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(content)), out var code));
        Assert.Null(code);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("fed1.")]
    [InlineData("fed1.***")]
    [InlineData("fed2.aHR0cDovL2gvCmMKcw")]
    [InlineData("FED1.aHR0cDovL2gvCmMKcw")]
    public void TryParse_TextThatIsNoCode_IsRefused(string? text) => Assert.False(EnrolmentCode.TryParse(text, out _));

    [Fact]
    public void TryParse_AnyCutOfACode_NeverThrows()
    {
        var text = new EnrolmentCode(new Uri("https://fed.example.org/"), "client-1", "c2VjcmV0").ToString();
        for (var length = 0; length < text.Length; length++)
        {
            EnrolmentCode.TryParse(text[..length], out _);
        }

        Assert.True(EnrolmentCode.TryParse(text, out _));
    }
}
