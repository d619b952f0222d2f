using FsCheck;
using FsCheck.Fluent;
using Lm.Platform;
using Lm.TestKit;
using Lm.Tsdb.Blocks;
using Lm.Tsdb.Index;

namespace Lm.Tsdb.Tests.Blocks;

public sealed class BlockRoundTripTests
{
    private const string Directory = "/blocks";

    [Fact]
    public void A_block_gives_back_what_was_written_bit_for_bit() => Prop.ForAll(TestData.AnySeries, series =>
    {
        var files = NewFiles();
        var meta = TestData.Write(files, Directory, new Ulid(1), series, segmentSizeMax: 4000);
        using var block = Open(files, meta.Id);
        var all = TestData.Read(block, TestData.Everything);
        return all.SameAs(series) && block.Meta.Stats.Series == series.Count && block.Meta.Stats.Samples == series.SampleCount;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Matchers_over_postings_find_what_a_look_at_every_series_finds() => Prop.ForAll(Questions, question =>
    {
        var (series, matchers, from, until) = question;
        var files = NewFiles();
        using var block = Open(files, TestData.Write(files, Directory, new Ulid(1), series).Id);
        bool IsWanted(LabelSet labels) => matchers.All(matcher => matcher.Matches(labels.ValueOf(matcher.Name)));
        var expected = series.Where(IsWanted, from, until);
        return TestData.Read(block, matchers, from, until).SameAs(expected);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void Label_names_and_values_are_those_of_the_series_that_match()
    {
        var files = NewFiles();
        var series = new Series([
            (new LabelSet(new Label("__name__", "up"), new Label("job", "b")), [(1, 1)]),
            (new LabelSet(new Label("__name__", "up"), new Label("job", "a"), new Label("zone", "z")), [(1, 1)]),
            (new LabelSet(new Label("__name__", "load"), new Label("cpu", "0")), [(1, 1)])]);
        using var block = Open(files, TestData.Write(files, Directory, new Ulid(1), series).Id);
        LabelMatcher[] up = [LabelMatcher.Equal("__name__", "up")];

        Assert.Equal(["__name__", "cpu", "job", "zone"], block.LabelNames([], 0, 1, CancellationToken.None));
        Assert.Equal(["__name__", "job", "zone"], block.LabelNames(up, 0, 1, CancellationToken.None));
        Assert.Equal(["a", "b"], block.LabelValues("job", [], 0, 1, CancellationToken.None));
        Assert.Equal(["z"], block.LabelValues("zone", up, 0, 1, CancellationToken.None));
        Assert.Empty(block.LabelValues("job", [], 2, 3, CancellationToken.None));
        Assert.Empty(block.LabelValues("nothing", [], 0, 1, CancellationToken.None));
    }

    [Fact]
    public void Thousands_of_series_go_through_the_spill_file_and_come_back()
    {
        var files = NewFiles();
        using (var writer = new BlockWriter(files, Directory, new Ulid(1), 0, 1000))
        {
            for (var i = 0; i < 40_000; i++)
            {
                writer.BeginSeries(Labels(i));
                for (var chunk = 0; chunk < 40; chunk++)
                {
                    writer.AddChunk(chunk * 2, chunk * 2, OneSample);
                }
            }

            Assert.True(files.Exists($"{Directory}/{new Ulid(1)}.tmp-for-creation/index.series"), "the test is too small for the spill file");
            writer.Commit(new BlockProvenance());
        }

        Assert.False(files.Exists($"{Directory}/{new Ulid(1)}/index.series"));
        using var block = Open(files, new Ulid(1));
        var all = block.Index.AllSeries();
        Assert.Equal(40_000, all.Length);
        foreach (var i in (int[])[0, 1, 9_999, 39_999])
        {
            Assert.Equal(Labels(i), block.Index.LabelsOf(all[i]));
            Assert.Equal(40, block.Index.ChunksOf(all[i]).Left);
            Assert.Equal([all[i]], block.Index.SeriesOf("n", i.ToString("d8", System.Globalization.CultureInfo.InvariantCulture)));
        }
    }

    [Fact]
    public void What_meta_json_says_comes_back()
    {
        var files = NewFiles();
        var provenance = new BlockProvenance
        {
            Level = 2,
            Sources = [new Ulid(9), new Ulid(7)],
            Parents = [new BlockRange(new Ulid(9), 1, 5), new BlockRange(new Ulid(7), 2, 6)],
            IsLate = true,
            ExternalLabels = [new Label("lightmetrics_stream", "collector-1")],
            Coverage = [new BlockCoverage(UInt128.MaxValue - 5, 7_200_000, 14_400_000, ulong.MaxValue), new BlockCoverage(3, 0, 5, 7), new BlockCoverage(3, 0, 5, 9), new BlockCoverage(3, 0, 8, 4)],
        };
        var series = new Series([(new LabelSet(new Label("a", "b")), [(100, 1), (200, 2)])]);

        var meta = TestData.Write(files, Directory, new Ulid(10), series, provenance);

        using var block = Open(files, meta.Id);
        Assert.Equivalent(meta, block.Meta, strict: true);
        Assert.Equal((100, 201), (meta.MinTime, meta.MaxTime));
        Assert.Equal([new Ulid(7), new Ulid(9)], meta.Sources);
        Assert.Equal([new BlockCoverage(3, 0, 5, 9), new BlockCoverage(3, 0, 8, 4), new BlockCoverage(UInt128.MaxValue - 5, 7_200_000, 14_400_000, ulong.MaxValue)], meta.Coverage);
        Assert.Equal(block.SizeBytes, meta.SizeBytes);
        Assert.True(meta.IsLate);
    }

    [Fact]
    public void A_series_without_a_chunk_leaves_no_trace_and_a_block_without_a_sample_is_none()
    {
        var files = NewFiles();
        using (var writer = new BlockWriter(files, Directory, new Ulid(1), 0, 10))
        {
            writer.BeginSeries(new LabelSet(new Label("a", "1")));
            writer.BeginSeries(new LabelSet(new Label("a", "2")));
            Assert.Null(writer.Commit(new BlockProvenance()));
        }

        Assert.Empty(files.ListDirectories(Directory));
    }

    [Fact]
    public void What_readers_would_stop_on_is_not_written()
    {
        var files = NewFiles();
        using var writer = new BlockWriter(files, Directory, new Ulid(1), 10, 20);
        Assert.Throws<InvalidOperationException>(() => writer.AddChunk(11, 11, OneSample));
        writer.BeginSeries(new LabelSet(new Label("a", "2")));
        Assert.Throws<ArgumentException>(() => writer.AddChunk(9, 12, OneSample));
        Assert.Throws<ArgumentException>(() => writer.AddChunk(12, 20, OneSample));
        Assert.Throws<ArgumentException>(() => writer.AddChunk(12, 13, [0, 0]));
        writer.AddChunk(12, 13, OneSample);
        Assert.Throws<ArgumentException>(() => writer.AddChunk(13, 14, OneSample));
        Assert.Throws<ArgumentException>(() => writer.BeginSeries(new LabelSet(new Label("a", "1"))));
    }

    private static readonly byte[] OneSample = Encode(1, 1);

    private static readonly Gen<LabelMatcher> Matchers =
        from name in Gen.Elements("__name__", "job", "instance", "é", "😀", "none")
        from kind in Gen.Elements(Enum.GetValues<MatchKind>())
        from value in Gen.Elements("", "a", "host", "web-1", "日本", "😀", "a|b", "(web-1|web-2|)", "web-.*", "web-.+", ".*", ".+", "web-1.?", "[ab]+", "\ue000|\uffff", "(?i)HOST", "=~\\\"", "x|", "😀*")
        select TestData.Matcher(name, kind, value);

    private static readonly Arbitrary<(Series Series, LabelMatcher[] Matchers, long From, long Until)> Questions = Arb.From(
        from series in TestData.AnySeries.Generator
        from count in Gen.Choose(1, 3)
        from matchers in Matchers.ArrayOf(count)
        from range in Gen.Elements((long.MinValue, long.MaxValue), (0L, 500_000L), (600_000L, 700_000L), (1_000_000L, 1_000_001L))
        select (series, matchers, range.Item1, range.Item2));

    private static LabelSet Labels(int i) => new(new Label("n", i.ToString("d8", System.Globalization.CultureInfo.InvariantCulture)), new Label("z", "😀"));

    private static byte[] Encode(long time, double value)
    {
        var chunk = new Lm.Tsdb.Chunks.XorChunk(0);
        chunk.Append(time, value);
        chunk.Seal();
        return chunk.Bytes.ToArray();
    }

    private static MemoryFileSystem NewFiles()
    {
        var files = new MemoryFileSystem();
        files.CreateDirectory(Directory);
        return files;
    }

    private static BlockReader Open(MemoryFileSystem files, Ulid id) => BlockReader.Open(files, $"{Directory}/{id}", new LabelCache());
}
