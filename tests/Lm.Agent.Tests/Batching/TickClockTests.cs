using Lm.Agent.Batching;
using Lm.TestKit;

namespace Lm.Agent.Tests.Batching;

public sealed class TickClockTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Ticks_stay_on_their_grid_however_long_the_work_takes_and_missed_ones_are_skipped()
    {
        var time = new ManualTime();
        var clock = new TickClock(time);
        Assert.Equal(Second, clock.Next(Second));
        time.Advance(TimeSpan.FromMilliseconds(1300)); // woken late
        Assert.Equal(TimeSpan.FromMilliseconds(700), clock.Next(Second));
        time.Advance(TimeSpan.FromMilliseconds(5000));
        Assert.Equal(TimeSpan.FromMilliseconds(700), clock.Next(Second));
    }

    [Fact]
    public void A_timer_that_fires_early_does_not_make_two_ticks_of_one()
    {
        var time = new ManualTime();
        var clock = new TickClock(time);
        clock.Next(Second);
        time.Advance(TimeSpan.FromMilliseconds(999));

        Assert.Equal(TimeSpan.FromMilliseconds(1001), clock.Next(Second));
    }
}
