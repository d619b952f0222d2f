using Lm.Agent.Upload;

namespace Lm.Agent.Tests.Upload;

public sealed class BackoffTests
{
    [Fact]
    public void The_ceiling_doubles_up_to_its_bound()
    {
        var backoff = new Backoff(() => 1);

        var delays = Enumerable.Range(0, 9).Select(_ => backoff.Next(Backoff.PassingMax, null).TotalSeconds);

        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60, 60], delays);
    }

    [Fact]
    public void The_delay_lies_anywhere_below_the_ceiling_but_is_never_nothing()
    {
        var random = 0.0;
        var backoff = new Backoff(() => random);
        Assert.Equal(TimeSpan.FromMilliseconds(100), backoff.Next(Backoff.PassingMax, null));
        random = 0.5;
        Assert.Equal(TimeSpan.FromSeconds(1), backoff.Next(Backoff.PassingMax, null));
    }

    [Fact]
    public void Retry_after_is_heeded_up_to_its_bound_with_jitter_on_top()
    {
        var backoff = new Backoff(() => 0.5);

        Assert.Equal(TimeSpan.FromSeconds(30.5), backoff.Next(Backoff.PassingMax, TimeSpan.FromSeconds(30)));
        Assert.Equal(Backoff.RetryAfterMax + TimeSpan.FromSeconds(1), backoff.Next(Backoff.PassingMax, TimeSpan.FromDays(400)));
    }

    [Fact]
    public void A_success_begins_anew()
    {
        var backoff = new Backoff(() => 1);
        backoff.Next(Backoff.PassingMax, null);
        backoff.Next(Backoff.PassingMax, null);
        backoff.Reset();

        Assert.Equal(TimeSpan.FromSeconds(1), backoff.Next(Backoff.PassingMax, null));
    }
}
