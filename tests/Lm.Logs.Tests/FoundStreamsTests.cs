using Lm.Logs.Query;

namespace Lm.Logs.Tests;

public sealed class FoundStreamsTests
{
    [Fact]
    public void Streams_and_texts_count_once_however_often_they_are_found()
    {
        var found = new FoundStreams(bytesMax: 2000);
        for (var i = 0; i < 1000; i++)
        {
            found.Add(Stream("web1"));
            found.Add("web1");
        }

        Assert.Equal([Stream("web1")], found.All);
        Assert.Equal(["web1"], found.Texts);
    }

    [Fact]
    public void More_streams_than_an_answer_may_have_are_refused_and_the_message_says_what_to_do()
    {
        var found = new FoundStreams(bytesMax: 1 << 20);

        var refused = Assert.Throws<LogQueryException>(() => AddMany(i => found.Add(Stream($"web{i}"))));

        Assert.EndsWith("streams match by now, and an answer may have 1 MiB of them: narrow the time range or the selector", refused.Message, StringComparison.Ordinal);
        Assert.InRange(found.All.Sum(static stream => stream.MemoryBytes), 1 << 20, (1 << 20) + 1000);
    }

    [Fact]
    public void More_texts_than_an_answer_may_have_are_refused() =>
        Assert.Contains("labels or values match by now", Assert.Throws<LogQueryException>(static () =>
        {
            var found = new FoundStreams(bytesMax: 1 << 20);
            AddMany(i => found.Add($"value {i}"));
        }).Message, StringComparison.Ordinal);

    private static void AddMany(Action<int> add)
    {
        for (var i = 0; i < 1 << 20; i++)
        {
            add(i);
        }
    }

    private static LogStream Stream(string instance) => new([new LogField("instance", instance)]);
}
