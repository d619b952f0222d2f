using System.Net;
using Lm.Collector.Console;
using Lm.Collector.Settings;
using Lm.TestKit;

namespace Lm.Collector.Tests.Console;

public sealed class SessionStoreTests
{
    [Fact]
    public void At_the_limit_the_session_that_was_idle_longest_ends()
    {
        var time = new ManualTime();
        var sessions = new SessionStore(time);
        var token = new Secret("t");
        var first = sessions.Open("t", "127.0.0.1");
        time.Advance(TimeSpan.FromSeconds(1));
        var second = sessions.Open("t", "127.0.0.1");
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(sessions.Use(first, token));
        for (var i = 2; i <= SessionStore.SessionsMax; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            sessions.Open("t", "127.0.0.1");
        }

        Assert.Equal(SessionStore.SessionsMax, sessions.Count);
        Assert.True(sessions.Use(first, token));
        Assert.False(sessions.Use(second, token));
    }

    [Fact]
    public void The_limiter_remembers_a_bounded_number_of_addresses_and_takes_an_IPv6_network_as_one()
    {
        var time = new ManualTime();
        var limiter = new WrongTokenLimiter(time);
        for (var i = 1; i <= WrongTokenLimiter.FailuresMax; i++)
        {
            Assert.Equal(i, limiter.Failed(IPAddress.Parse($"2001:db8::{i:x}"), out _));
        }

        Assert.Equal(11, limiter.Failed(IPAddress.Parse("2001:db8::ffff"), out _));
        Assert.Equal(1, limiter.Failed(IPAddress.Parse("2001:db8:0:1::1"), out _));

        time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < WrongTokenLimiter.SourcesMax; i++)
        {
            limiter.Failed(new IPAddress([10, 0, (byte)(i >> 8), (byte)i]), out _);
        }

        Assert.Equal(1, limiter.Failed(IPAddress.Parse("2001:db8::ffff"), out _)); // forgotten: its window began first
    }
}
