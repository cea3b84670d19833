using FedServerless.Compression;

namespace FedServerless.Core.Tests.Compression;

public sealed class GapCodingTests
{
    [Fact]
    public void Write_HandCase_HasRemaindersThenQuotients()
    {
        // Gaps 2, 0, 5, r = 1. Lower bits 0, 0, 1 → 100₂ = 4. Quotients 1, 0, 2 → 01 1 001 from the lowest bit → 100110₂ = 0x26.
        var bytes = new byte[2];

        GapCoding.Write([2, 3, 9], 1, bytes);

        Assert.Equal("0426", Convert.ToHexString(bytes));
        Assert.Equal(2, GapCoding.Length([2, 3, 9], 1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(1000)]
    [InlineData(65_536)]
    public void TryRead_WhatWasWritten_IsTheSameForEveryR(int coordinates)
    {
        var random = new Random(coordinates);
        foreach (var share in new[] { 0.001, 0.01, 0.3, 1 })
        {
            int[] indices = [.. Enumerable.Range(0, coordinates).Where(_ => random.NextDouble() < share).DefaultIfEmpty(coordinates - 1)];
            for (var rice = 0; rice <= GapCoding.MaxRice; rice++)
            {
                var bytes = new byte[GapCoding.Length(indices, rice)];
                GapCoding.Write(indices, rice, bytes);
                var read = new int[indices.Length];

                Assert.True(GapCoding.TryRead(bytes, rice, coordinates, read));
                Assert.Equal(indices, read);
            }
        }
    }

    [Fact]
    public void Choose_OneInAHundred_IsNearTheEntropy()
    {
        var random = new Random(1);
        int[] indices = [.. Enumerable.Range(0, 65_536).Where(_ => random.Next(100) == 0)];

        var (rice, length) = GapCoding.Choose(indices, 65_536, 0);

        // −(p·log₂p + (1−p)·log₂(1−p)) / p at p = 0.01 is 8.08 bits an index.
        Assert.Equal(6, rice);
        Assert.InRange(8.0 * length / indices.Length, 8.0, 8.2);
    }

    [Fact]
    public void Choose_AnyIndices_NeverTakesMoreThanABitmap()
    {
        var random = new Random(2);
        for (var round = 0; round < 200; round++)
        {
            var coordinates = random.Next(1, 3000);
            var share = random.NextDouble();
            int[] indices = [.. Enumerable.Range(0, coordinates).Where(_ => random.NextDouble() < share).DefaultIfEmpty(0)];

            var (rice, length) = GapCoding.Choose(indices, coordinates, 6);

            Assert.True(length <= GapCoding.MaxLength(coordinates));
            Assert.Equal(length, GapCoding.Length(indices, rice));
        }
    }

    [Theory]
    [InlineData(1.0, 0)]
    [InlineData(0.34, 1)]
    [InlineData(0.35, 0)]
    [InlineData(0.01, 6)]
    [InlineData(1e-6, 16)]
    public void RiceOf_Share_IsTheMedianGapsPowerOfTwo(double share, int rice) => Assert.Equal(rice, GapCoding.RiceOf(share));

    [Theory]
    [InlineData("0426", 9)] // the last place is coordinate 9
    [InlineData("0C26", 10)] // a fourth lower bit
    [InlineData("0466", 10)] // a fourth one in unary
    [InlineData("04A6", 10)]
    [InlineData("0406", 10)] // two ones only
    [InlineData("042600", 10)] // a byte too many
    [InlineData("04", 10)] // a byte too few
    [InlineData("", 10)]
    public void TryRead_DamagedHandCase_IsRefused(string hex, int coordinates) =>
        Assert.False(GapCoding.TryRead(Convert.FromHexString(hex), 1, coordinates, new int[3]));

    [Fact]
    public void TryRead_LongestUnaryRun_IsRefusedNotOverflowed()
    {
        // Quotients of half a million at r = 16: 2³⁵ coordinates away.
        var bytes = new byte[65_536];
        bytes[^1] = 0x80;

        Assert.False(GapCoding.TryRead(bytes, 16, 65_536, new int[1]));
    }
}
