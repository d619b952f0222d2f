using Lm.Platform;
using Lm.TestKit;
using Lm.Tsdb.Head;
using SeriesHead = Lm.Tsdb.Head.Head;

namespace Lm.Tsdb.Tests.Head;

/// <summary>The bytes of docs/formats/head.md.</summary>
public sealed class HeadFormatTests
{
    private const long Start = 1_767_326_400_000;

    [Theory]
    [InlineData("head")]
    [InlineData("0000000001.chunks")]
    [InlineData("0000000002.open")]
    [InlineData("0000000003.series")]
    public void The_format_is_as_documented(string name)
    {
        var files = new MemoryFileSystem();
        using var head = SeriesHead.Open(files, Options(), out _);
        Fill(head);

        Assert.Equal(GoldenFile.ReadHex($"head/{name}.v1.hex"), Convert.ToHexStringLower(files.Peek("/head/" + name)));
    }

    [Fact]
    public void The_golden_files_are_read_back()
    {
        var files = new MemoryFileSystem();
        files.CreateDirectory("/head");
        foreach (var name in (string[])["head", "0000000001.chunks", "0000000002.open", "0000000003.series"])
        {
            files.Put("/head/" + name, Convert.FromHexString(GoldenFile.ReadHex($"head/{name}.v1.hex")));
        }

        using var head = SeriesHead.Open(files, Options(), out var opening);

        Assert.Empty(opening.Damage);
        Assert.Equal(new CommitPosition(3, 4096), opening.ReplayFrom);
        using var found = head.Find([LabelMatcher.Equal("__name__", "up")], 0, long.MaxValue, CancellationToken.None);
        var buffer = new SampleBuffer();
        found.Read(0, 0, long.MaxValue, buffer);
        Assert.Equal(123, buffer.Count);
        Assert.Equal(Start + 7, buffer.Times[1]);
        Assert.Equal(0.5, buffer.Values[1]);
        Assert.Equal(2, buffer.Values[^1]);
    }

    private static HeadOptions Options() => new() { Directory = "/head", Incarnation = HeadMachine.Incarnation };

    // One sealed chunk, an open one of two samples, and a late sample that waits; a second series with one sample.
    private static void Fill(SeriesHead head)
    {
        using (head.EnterBatch(new UnixMillis(Start)))
        {
            var up = head.FindOrAdd(new LabelSet(new Label("__name__", "up"), new Label("host", "é")));
            for (var i = 0; i < 122; i++)
            {
                head.Append(up, Start + (i * 15_000), i < 120 ? 1 : 2);
            }

            head.Append(up, Start + 7, 0.5);
            head.Append(head.FindOrAdd(new LabelSet(new Label("__name__", "load"), new Label("host", "é"))), Start + 1000, 3);
        }

        head.Checkpoint(new CommitPosition(3, 4096));
    }
}
