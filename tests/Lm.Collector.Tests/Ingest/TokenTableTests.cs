using Lm.Collector.Ingest;

namespace Lm.Collector.Tests.Ingest;

public sealed class TokenTableTests
{
    [Fact]
    public void Several_tokens_of_one_agent_all_work_while_a_token_is_rotated()
    {
        var table = new TokenTable();
        Assert.True(table.TryAdd("old", new TokenOwner("a1", false), out _));
        Assert.True(table.TryAdd("new", new TokenOwner("a1", true), out _));
        Assert.True(table.TryFind("old", out var owner));
        Assert.Equal(new TokenOwner("a1", false), owner);
        Assert.True(table.TryFind("new", out owner));
        Assert.Equal(new TokenOwner("a1", true), owner);
    }

    [Fact]
    public void A_token_belongs_to_one_agent()
    {
        var table = new TokenTable();
        table.TryAdd("same", new TokenOwner("a1", false), out _);
        Assert.False(table.TryAdd("same", new TokenOwner("a2", false), out var first));
        Assert.Equal("a1", first.AgentId);
    }

    [Theory]
    [InlineData("")]
    [InlineData("toke")]
    [InlineData("token2")]
    [InlineData("TOKEN")]
    public void Nothing_but_the_token_is_the_token(string other)
    {
        var table = new TokenTable();
        table.TryAdd("token", new TokenOwner("a1", false), out _);
        Assert.False(table.TryFind(other, out _));
        Assert.False(table.TryFind(new string('x', 10_000), out _));
    }
}
