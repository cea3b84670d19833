using FedServerless.Numerics;

namespace FedServerless.Core.Tests.Numerics;

public sealed class LittleEndianTests
{
    [Fact]
    public void Write_HandCase_PutsTheLowByteFirst()
    {
        var floats = new byte[5];
        var integers = new byte[8];

        LittleEndian.Write([-2f], floats);
        LittleEndian.Write([0x0102_0304_0506_0708], integers);

        Assert.Equal("000000C000", Convert.ToHexString(floats));
        Assert.Equal("0807060504030201", Convert.ToHexString(integers));
    }

    [Fact]
    public void Read_WhatWasWritten_KeepsEveryBit()
    {
        float[] floats = [float.NaN, -0f, float.Epsilon, float.MinValue];
        long[] integers = [long.MinValue, -1];
        var bytes = new byte[17];
        var readFloats = new float[4];
        var readIntegers = new long[2];

        // From an odd address on purpose.
        LittleEndian.Write(floats, bytes.AsSpan(1));
        LittleEndian.Read(bytes.AsSpan(1), readFloats);
        LittleEndian.Write(integers, bytes.AsSpan(1));
        LittleEndian.Read(bytes.AsSpan(1), readIntegers);

        Assert.Equal(floats.Select(BitConverter.SingleToInt32Bits), readFloats.Select(BitConverter.SingleToInt32Bits));
        Assert.Equal(integers, readIntegers);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(9)]
    public void Read_OtherLength_Throws(int length)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => LittleEndian.Read(new byte[length], new float[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => LittleEndian.Read(new byte[length], new long[1]));
    }
}
