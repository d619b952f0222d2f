using Lm.Agent.Events;
using Lm.Agent.Tests.LogTail;

namespace Lm.Agent.Tests.Events;

/// <summary>A tail bench whose tail loop takes events, too.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
internal sealed class EventBench : IAsyncDisposable
{
    public EventBench(long queueBytesMax = 16 << 20) =>
        Tails = new TailBench(queueBytesMax) { NewSources = bench => [Source = new EventSource(bench.Time) { Watches = new FileWatches(bench.Time, bench.Queue.Logger) }] };

    public TailBench Tails { get; }

    public EventSource Source { get; private set; } = null!;

    public string Folder => Tails.Folder;

    public async Task<List<ArrivedLine>> EventsAsync(int seconds = 0)
    {
        await Tails.ReadAsync(seconds);
        return Tails.Take();
    }

    /// <summary>Reads until an event of a name is there.</summary>
    /// <returns>All events up to then.</returns>
    public async Task<List<ArrivedLine>> UntilAsync(string name, int count = 1, int seconds = 0)
    {
        var all = new List<ArrivedLine>();
        var since = System.Diagnostics.Stopwatch.GetTimestamp();
        while (all.Count(line => line.Attributes["event"] == name) < count)
        {
            all.AddRange(await EventsAsync(seconds));
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(30),
                $"no {name} in: {string.Join("; ", all.Select(line => line.Attributes["event"] + " " + line.Body))}");
            await Task.Yield();
        }

        return all;
    }

    public async ValueTask DisposeAsync() => await Tails.DisposeAsync();
}
