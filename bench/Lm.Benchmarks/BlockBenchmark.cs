using System.Diagnostics;
using System.Globalization;
using Lm.Platform.Files;
using Lm.Tsdb;
using Lm.Tsdb.Blocks;

namespace Lm.Benchmarks;

/// <summary>Blocks of two hours at one sample in 15 s: written, opened, searched, read, merged.</summary>
internal static class BlockBenchmark
{
    private const long WindowMs = 7_200_000;
    private const int SamplesOfSeries = 480;
    private const long Start = 1_699_920_000_000; // a multiple of two days

    public static void Run(string directory, int series)
    {
        var folder = Path.Combine(directory, $"lm-bench-blocks-{Guid.NewGuid():n}");
        try
        {
            Measure(folder, series);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Measure(string folder, int series)
    {
        var files = new PhysicalFileSystem();
        var labels = Enumerable.Range(0, series).Select(LabelsOf).Order(Comparer<LabelSet>.Create(static (left, right) => left.CompareTo(right))).ToArray();
        BlockSet set = BlockSet.Open(files, folder, TimeProvider.System);
        for (var window = 0; window < 4; window++)
        {
            var began = Stopwatch.GetTimestamp();
            var meta = Write(set, labels, Start + (window * WindowMs));
            set.Add(meta.Id);
            Report.Print(
                "block_write", ("series", series), ("samples", meta.Stats.Samples), ("ms", Stopwatch.GetElapsedTime(began).TotalMilliseconds),
                ("index_bytes_per_series", (double)meta.Files[^1].SizeBytes / series), ("bytes_per_sample", (double)meta.SizeBytes / meta.Stats.Samples));
        }

        set.Dispose();
        var opening = Stopwatch.GetTimestamp();
        set = BlockSet.Open(files, folder, TimeProvider.System);
        Report.Print("block_open", ("blocks", set.Metas.Count), ("ms", Stopwatch.GetElapsedTime(opening).TotalMilliseconds));
        Ask(set, "one_series", LabelMatcher.Equal("__name__", "metric_07"), LabelMatcher.Equal("instance", "host-00042"));
        Ask(set, "one_metric", LabelMatcher.Equal("__name__", "metric_07"));
        Ask(set, "one_host", LabelMatcher.Equal("instance", "host-00042"));
        Ask(set, "regex", LabelMatcher.Equal("__name__", "metric_07"), Regex("instance", "host-.*[05]"));
        Ask(set, "all");
        Ask(set, "all_of_five_minutes", Start + (4 * WindowMs) - 300_000);
        var merging = Stopwatch.GetTimestamp();
        var outcome = new Compactor(set, new CompactionOptions(), TimeProvider.System).RunOnce(CancellationToken.None);
        Report.Print("block_merge", ("samples", ((CompactionOutcome.Merged)outcome).Block.Stats.Samples), ("ms", Stopwatch.GetElapsedTime(merging).TotalMilliseconds));
        set.Dispose();
    }

    private static void Ask(BlockSet set, string name, params LabelMatcher[] matchers) => Ask(set, name, Start, matchers);

    private static void Ask(BlockSet set, string name, long from, params LabelMatcher[] matchers)
    {
        var store = new SeriesStore(null, set);
        var times = new List<double>();
        var (samples, count, total) = (new SampleBuffer(), 0, 0L);
        for (var round = 0; round < 7; round++)
        {
            var began = Stopwatch.GetTimestamp();
            using var found = store.Find(matchers, from, Start + (4 * WindowMs), CancellationToken.None);
            (count, total) = (found.Count, 0);
            for (var i = 0; i < found.Count; i++)
            {
                samples.Clear();
                found.Read(i, from, Start + (4 * WindowMs), samples);
                total += samples.Count;
            }

            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        Report.Print($"block_query_{name}", ("series", count), ("samples", total), ("first_ms", times[0]), ("p50_ms", times.Order().ElementAt(3)), ("ns_per_sample", times.Min() * 1e6 / Math.Max(1, total)));
    }

    private static BlockMeta Write(BlockSet set, LabelSet[] labels, long start)
    {
        var random = new Random((int)(start / WindowMs));
        var (times, values) = (new long[SamplesOfSeries], new double[SamplesOfSeries]);
        using var writer = set.Write(start, start + WindowMs);
        foreach (var each in labels)
        {
            var total = (double)random.Next(1_000_000);
            for (var i = 0; i < SamplesOfSeries; i++)
            {
                times[i] = start + (i * 15_000L);
                values[i] = total += random.Next(0, 40);
            }

            writer.BeginSeries(each);
            writer.AddSamples(times, values);
        }

        return writer.Commit(new BlockProvenance()) ?? throw new InvalidOperationException("a block with samples is none");
    }

    private static LabelSet LabelsOf(int number) => new(
        new Label("__name__", $"metric_{number % 100:d2}"),
        new Label("instance", string.Create(CultureInfo.InvariantCulture, $"host-{number / 100:d5}")),
        new Label("job", "node"),
        new Label("region", number / 100 % 3 == 0 ? "north" : "south"));

    private static LabelMatcher Regex(string name, string pattern) =>
        LabelMatcher.TryCreate(MatchKind.Regex, name, pattern, out var matcher, out var fault) ? matcher! : throw new FormatException(fault);
}
