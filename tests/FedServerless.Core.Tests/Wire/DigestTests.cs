using System.Text.Json;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Wire;

public class DigestTests
{
    // FIPS 180-4, the one-block message "abc".
    private const string OfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    [Fact]
    public void Of_TheStandardsMessage_IsTheStandardsDigest() => Assert.Equal(OfAbc, Digest.Of("abc"u8).ToString());

    [Fact]
    public void Parse_WhatToStringWrote_ComesBack()
    {
        var digest = Digest.Of("abc"u8);

        Assert.Equal(digest, Digest.Parse(OfAbc));
        Assert.True(digest == Digest.Parse(OfAbc));
        Assert.Equal(digest.GetHashCode(), Digest.Parse(OfAbc).GetHashCode());
        Assert.Equal(digest, Digest.FromBytes(digest.AsSpan()));
    }

    [Fact]
    public void Equals_AnyByteDiffers_IsFalse()
    {
        var digest = Digest.Of("abc"u8);
        for (var i = 0; i < Digest.Size; i++)
        {
            var bytes = digest.AsSpan().ToArray();
            bytes[i] ^= 1;
            Assert.True(digest != Digest.FromBytes(bytes));
            Assert.False(digest.Equals((object)Digest.FromBytes(bytes)));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD")]
    [InlineData("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a")]
    [InlineData("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015add")]
    [InlineData("ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData(" a7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    public void TryParse_AnythingElse_IsRefused(string? text)
    {
        Assert.False(Digest.TryParse(text, out var digest));
        Assert.Equal(default, digest);
        Assert.Throws<FormatException>(() => Digest.Parse(text!));
    }

    [Theory]
    [InlineData(31)]
    [InlineData(33)]
    public void FromBytes_AnotherLength_Throws(int length) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Digest.FromBytes(new byte[length]));

    [Fact]
    public void ToString_Default_IsAllZeros() => Assert.Equal(new string('0', 64), default(Digest).ToString());

    [Fact]
    public void Json_Digest_IsAStringAndComesBack()
    {
        var artifact = new ModelArtifact("/m", 3, Digest.Of("abc"u8), default);
        var lease = new EvaluateLease { Run = "r", Round = 1, Model = "m", Artifact = artifact, RemainingSeconds = 5 };
        var json = JsonSerializer.Serialize(new CheckInResponse { Evaluate = lease }, WireJson.Default.CheckInResponse);

        Assert.Contains($"\"digest\":\"{OfAbc}\"", json, StringComparison.Ordinal);
        Assert.Equal(artifact, JsonSerializer.Deserialize(json, WireJson.Default.CheckInResponse)!.Evaluate!.Artifact);
    }

    [Theory]
    [InlineData("\"abc\"")]
    [InlineData("7")]
    [InlineData("[]")]
    public void Json_AnythingElse_IsRefused(string digest)
    {
        var json = """{"evaluate":{"run":"r","round":1,"model":"m","remainingSeconds":5,"artifact":{"url":"/m","bytes":3,"digest":?,"layoutDigest":?}}}"""
            .Replace("?", digest, StringComparison.Ordinal);

        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(json, WireJson.Default.CheckInResponse));
    }
}
