using Lm.Agent.Upload;
using Lm.Platform;

namespace Lm.Agent.Tests.Upload;

public sealed class ClockSkewTests
{
    private readonly RecordingLogger logger = new();

    [Fact]
    public void A_difference_is_measured_from_the_middle_of_the_answer_and_told_when_it_begins_and_ends()
    {
        var skew = new ClockSkew(logger);
        Assert.Null(skew.Value);

        skew.Note(new UnixMillis(10_000), new UnixMillis(20_050), TimeSpan.FromMilliseconds(100));
        skew.Note(new UnixMillis(10_000), new UnixMillis(20_050), TimeSpan.FromMilliseconds(100));

        Assert.Equal(TimeSpan.FromSeconds(10), skew.Value);
        Assert.Equal(1, logger.CountOf(1410));
        skew.Note(new UnixMillis(10_000), new UnixMillis(6_000), TimeSpan.Zero);
        Assert.Equal((TimeSpan.FromSeconds(-4), 0), (skew.Value, logger.CountOf(1411)));
        skew.Note(new UnixMillis(10_000), new UnixMillis(10_500), TimeSpan.Zero);
        Assert.Equal((TimeSpan.FromSeconds(0.5), 1), (skew.Value, logger.CountOf(1411)));
    }

    [Fact]
    public void What_the_time_of_the_answer_leaves_uncertain_is_no_difference()
    {
        var skew = new ClockSkew(logger);

        skew.Note(new UnixMillis(10_000), new UnixMillis(12_900), TimeSpan.FromSeconds(3));

        Assert.Equal(TimeSpan.Zero, skew.Value);
    }

    [Fact]
    public void An_answer_that_does_not_say_tells_nothing()
    {
        var skew = new ClockSkew(logger);

        skew.Note(new UnixMillis(10_000), default, TimeSpan.Zero);

        Assert.Null(skew.Value);
    }
}
