using Lm.Collector.LogRecords;
using Lm.Collector.Tests.Series;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Tests.LogRecords;

public sealed class BatchStreamsTests
{
    private const long BytesMax = 256 << 10;

    [Fact]
    public void What_is_remembered_of_one_agent_is_bounded_and_a_forgotten_stream_is_found_again()
    {
        var streams = new BatchStreams(BytesMax);
        var maker = new BatchMaker("a1");
        for (var i = 0; i < 40; i++)
        {
            var found = Find(streams, maker, [.. Enumerable.Range(0, 100).Select(each => $"input {(i * 100) + each}")]);

            Assert.InRange(streams.MemoryBytes, 1, BytesMax);
            Assert.Equal(i * 100 < AgentStreams.InputsMax ? $"input {i * 100}" : "other", found[0].Head.Stream["input"]);
        }

        // Though its stream was forgotten long ago, an input keeps its own.
        Assert.Equal(["input 0", "other"], Find(streams, maker, "input 0", "new").Select(static each => each.Head.Stream["input"]));
    }

    [Fact]
    public void Inputs_that_are_too_many_have_one_stream_and_are_named()
    {
        var streams = new BatchStreams();
        var maker = new BatchMaker("a1");
        Find(streams, maker, [.. Enumerable.Range(0, AgentStreams.InputsMax).Select(each => $"input {each}")]);
        var before = streams.MemoryBytes;
        var found = Find(streams, maker, [.. Enumerable.Range(0, 2000).Select(each => $"more {each}")]);

        Assert.Single(found.Select(static each => each.Head).Distinct());
        Assert.Equal(Enumerable.Range(0, 2000).Select(each => $"more {each}"), found.Select(static each => each.InputName));
        Assert.InRange(streams.MemoryBytes - before, 1, 2048);
        Assert.Equal("more 1", Find(streams, new BatchMaker("a2"), "more 1")[0].Head.Stream["input"]);
    }

    [Fact]
    public void What_is_remembered_of_many_agents_and_of_labels_that_change_is_bounded()
    {
        var streams = new BatchStreams(BytesMax);
        for (var i = 0; i < 1000; i++)
        {
            var maker = new BatchMaker($"a{i % 500}") { CommonLabels = [new Label("version", $"{i}")] };
            var stream = Find(streams, maker, "syslog")[0].Head.Stream;

            Assert.Equal(($"a{i % 500}", $"{i}", "syslog"), (stream.Instance, stream["version"], stream["input"]));
            Assert.InRange(streams.MemoryBytes, 1, BytesMax);
        }
    }

    private static List<BatchStream> Find(BatchStreams streams, BatchMaker maker, params string[] inputs)
    {
        maker.Logs.AddRange(inputs.Select(static input => new LogRecord(new UnixMillis(1_700_000_000_000), 9, "hello", [new Label("input", input)])));
        var batch = maker.Make(1_700_000_000_000).Batch;
        streams.Begin(batch);
        var found = new List<BatchStream>();
        foreach (ref readonly var log in batch.Logs)
        {
            found.Add(streams.Of(log));
        }

        return found;
    }
}
