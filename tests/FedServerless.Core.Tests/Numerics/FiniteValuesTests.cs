using FedServerless.Numerics;

namespace FedServerless.Core.Tests.Numerics;

public sealed class FiniteValuesTests
{
    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void FirstNonFinite_AnyPositionInAnyLength_IsFound(float value)
    {
        for (var length = 1; length < 70; length++)
        {
            for (var at = 0; at < length; at++)
            {
                var values = new float[length];
                values[at] = value;
                values[^1] = value;

                Assert.Equal(at, FiniteValues.FirstNonFinite(values));
            }
        }
    }

    [Fact]
    public void FirstNonFinite_AllFinite_IsMinusOne()
    {
        for (var length = 0; length < 70; length++)
        {
            var values = new float[length];
            values.AsSpan().Fill(float.MaxValue);

            Assert.Equal(-1, FiniteValues.FirstNonFinite(values));
        }
    }
}
