namespace Lm.Platform.Tests;

public sealed class UnixMillisTests
{
    [Theory]
    [InlineData(5, 3, 2)]
    [InlineData(3, 5, -2)]
    [InlineData(long.MaxValue, long.MinValue, 922_337_203_685_477)]
    [InlineData(long.MinValue, long.MaxValue, -922_337_203_685_477)]
    [InlineData(long.MaxValue, 0, 922_337_203_685_477)]
    public void A_difference_is_the_longest_that_there_is_at_most(long left, long right, long milliseconds) =>
        Assert.Equal(milliseconds, (new UnixMillis(left) - new UnixMillis(right)).Ticks / TimeSpan.TicksPerMillisecond);
}
