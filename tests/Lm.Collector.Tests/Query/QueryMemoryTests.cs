using Lm.Collector.Query;
using Lm.TestKit;

namespace Lm.Collector.Tests.Query;

public sealed class QueryMemoryTests : IDisposable
{
    private readonly ManualTime time = new();
    private readonly SemaphoreSlim collected = new(0);

    [Fact]
    public async Task Memory_is_collected_once_for_large_queries_that_end_within_a_while()
    {
        using var memory = new QueryMemory(time, () => collected.Release());

        memory.Ask();
        memory.Ask();
        await WaitForTimerAsync();
        time.Advance(QueryMemory.Delay);
        await collected.WaitAsync(TestContext.Current.CancellationToken);
        memory.Ask();
        await WaitForTimerAsync();
        time.Advance(QueryMemory.Spacing - QueryMemory.Delay - TimeSpan.FromMilliseconds(1));

        Assert.Equal(0, collected.CurrentCount);
    }

    [Fact]
    public async Task A_large_query_that_ends_after_a_collection_has_one_of_its_own_later()
    {
        using var memory = new QueryMemory(time, () => collected.Release());

        for (var round = 0; round < 2; round++)
        {
            memory.Ask();
            await WaitForTimerAsync();
            time.Advance(QueryMemory.Delay);
            await collected.WaitAsync(TestContext.Current.CancellationToken);
            await WaitForTimerAsync();
            time.Advance(QueryMemory.Spacing);
        }
    }

    [Fact]
    public void A_small_query_asks_for_nothing()
    {
        using var memory = new QueryMemory(time, () => collected.Release());

        memory.Begin().Dispose();

        Assert.Equal(0, time.TimerCount);
    }

    [Fact]
    public async Task Nothing_is_collected_after_the_end()
    {
        var memory = new QueryMemory(time, () => collected.Release());
        memory.Ask();
        await WaitForTimerAsync();

        memory.Dispose();
        time.Advance(QueryMemory.Spacing);
        memory.Ask();

        Assert.Equal(0, collected.CurrentCount);
    }

    public void Dispose() => collected.Dispose();

    private async Task WaitForTimerAsync()
    {
        while (time.TimerCount == 0)
        {
            await Task.Yield();
        }
    }
}
