using FedServerless.Adaptation;
using FedServerless.Numerics;

namespace FedServerless.Core.Tests.Adaptation;

public class PartSizeTests
{
    private const int Least = 256 << 10;

    private const int Most = 8 << 20;

    [Theory]
    [InlineData(null, null, Most)]
    [InlineData(8000.0, null, Least)]
    [InlineData(32_768.0, null, 512 << 10)]
    [InlineData(32_767.0, null, Least)]
    [InlineData(65_536.0, null, 1 << 20)]
    [InlineData(524_288.0, null, Most)]
    [InlineData(524_287.0, null, 4 << 20)]
    [InlineData(1e11, 5e6, Least)]
    [InlineData(1e11, 67_108_864.0, 4 << 20)]
    [InlineData(1e11, 134_217_728.0, Most)]
    [InlineData(null, 1.0, Least)]
    [InlineData(double.NaN, null, Most)]
    public void Choose_Link_IsThePowerOfTwoBelow(double? rate, double? perBreak, int bytes) => Assert.Equal(bytes, PartSize.Choose(Least, Most, rate, perBreak));

    [Fact]
    public void Choose_BoundsThatAreNoPowersOfTwo_AreKept()
    {
        var random = new DeterministicRandom(3);
        for (var i = 0; i < 5000; i++)
        {
            var least = Least + (int)(random.NextDouble() * (Most - Least));
            var most = least + (int)(random.NextDouble() * (Most - least));

            Assert.InRange(PartSize.Choose(least, most, Math.Pow(10, 9 * random.NextDouble()), Math.Pow(10, 9 * random.NextDouble())), least, most);
        }
    }

    [Theory]
    [InlineData(Least - 1, Most)]
    [InlineData(Least, Most + 1)]
    [InlineData(Least + 1, Least)]
    public void Choose_BoundsBeyondTheFormats_Throws(int least, int most) =>
        Assert.ThrowsAny<ArgumentOutOfRangeException>(() => PartSize.Choose(least, most, null, null));
}
