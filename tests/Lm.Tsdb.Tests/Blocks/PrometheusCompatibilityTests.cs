using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Tsdb.Blocks;
using Lm.Tsdb.Index;

namespace Lm.Tsdb.Tests.Blocks;

/// <summary>Prometheus 2.42 reads what we write, and we read what it writes; neither needs more bytes for it than the other, or we need fewer.</summary>
public sealed partial class PrometheusCompatibilityTests : IDisposable
{
    private const long Start = 1_699_999_200_000; // a multiple of two hours

    private readonly PhysicalFileSystem files = new();
    private readonly string folder = PrometheusTools.NewFolder();

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Promtool_analyses_our_block_and_dumps_every_sample()
    {
        PrometheusTools.Need();
        var series = Metrics(hours: 2);
        var meta = TestData.Write(files, folder, new Ulid(UInt128.One << 90), series);
        Directory.CreateDirectory(Path.Combine(folder, "wal")); // tsdb dump insists on it

        var analysis = await PrometheusTools.PromtoolAsync("tsdb", "analyze", folder, meta.Id.ToString());
        var dump = await PrometheusTools.PromtoolAsync("tsdb", "dump", folder);

        Assert.True(Regex.IsMatch(analysis, $@"Series: {series.Count}\b"), analysis);
        Assert.True(ParseDump(dump).SameAs(series), dump[..2000]);
    }

    [Fact]
    public async Task Promtool_dumps_a_merged_block_of_several_segments_and_of_late_samples()
    {
        PrometheusTools.Need();
        var series = Metrics(hours: 6);
        using (var set = BlockSet.Open(files, folder, TimeProvider.System))
        {
            foreach (var part in (int[])[0, 1, 2])
            {
                var id = TestData.Write(files, folder, set.NextId(), Third(series, part), new BlockProvenance { IsLate = part == 2 }, segmentSizeMax: 20_000).Id;
                set.Add(id);
            }

            var compactor = new Compactor(set, new CompactionOptions { ExternalLabels = [new Label("lightmetrics_stream", "test")] }, TimeProvider.System);
            while (compactor.RunOnce(TestContext.Current.CancellationToken) is CompactionOutcome.Merged)
            {
            }

            Assert.Equal(3, Assert.Single(set.Metas).Sources.Count);
        }

        Directory.CreateDirectory(Path.Combine(folder, "wal"));
        Assert.True(ParseDump(await PrometheusTools.PromtoolAsync("tsdb", "dump", folder)).SameAs(series));
    }

    [Fact]
    public async Task A_stock_Prometheus_on_a_copy_of_our_blocks_answers_as_we_do()
    {
        PrometheusTools.Need();
        var token = TestContext.Current.CancellationToken;
        var ours = Path.Combine(folder, "ours");
        using var set = BlockSet.Open(files, ours, TimeProvider.System);
        var series = Metrics(hours: 8);
        for (var hour = 0; hour < 8; hour += 2)
        {
            var (from, until) = (Start + (hour * TestData.Hour), Start + ((hour + 2) * TestData.Hour) - 1);
            set.Add(TestData.Write(files, ours, set.NextId(), series.Where(_ => true, from, until)).Id);
        }

        PrometheusTools.Copy(ours, Path.Combine(folder, "theirs"));
        await using var prometheus = await RunningPrometheus.StartAsync(Path.Combine(folder, "theirs"), token);
        var end = Start + (8 * TestData.Hour);
        var store = new SeriesStore(null, set);
        foreach (var selector in (string[])["requests_total", "{mode=~\"user|idle\"}", "{__name__=~\".+\",mode!~\"i.*\"}", "{instance=~\"web-1.*\",mode=\"\"}"])
        {
            var mine = TestData.Read(store, Parse(selector), Start, end);
            var theirs = await prometheus.AskAsync($"api/v1/query?query={Uri.EscapeDataString(selector)}[9h]&time={end / 1000}", token);
            Assert.True(mine.Count > 0);
            Assert.True(mine.SameAs(theirs), $"{selector}: {mine.Count} series against {theirs.Count}");

            var grid = await prometheus.AskAsync(
                $"api/v1/query_range?query={Uri.EscapeDataString(selector)}&start={Start / 1000}&end={end / 1000}&step=97", token);
            Assert.True(OnGrid(mine, end).SameAs(grid), $"{selector}: query_range differs");
        }
    }

    [Fact]
    public async Task We_read_blocks_that_promtool_wrote_and_need_no_more_bytes_for_the_same_samples()
    {
        PrometheusTools.Need();
        var series = Metrics(hours: 8);
        var text = Path.Combine(folder, "samples.om");
        await File.WriteAllTextAsync(text, OpenMetrics(series), TestContext.Current.CancellationToken);
        var theirs = Path.Combine(folder, "theirs");
        await PrometheusTools.PromtoolAsync("tsdb", "create-blocks-from", "openmetrics", text, theirs);

        using var read = BlockSet.Open(files, theirs, TimeProvider.System);
        Assert.Empty(read.Damaged);
        Assert.Equal(4, read.Metas.Count);
        Assert.True(TestData.Read(new SeriesStore(null, read), TestData.Everything).SameAs(series));

        foreach (var block in read.Metas)
        {
            var mine = TestData.Write(files, Path.Combine(folder, "."), new Ulid(block.Id.Value + 1), series.Where(_ => true, block.MinTime, block.MaxTime - 1));
            using var opened = BlockReader.Open(files, Path.Combine(theirs, block.Id.ToString()), new LabelCache());
            Assert.Equal((block.Stats.Samples, block.Stats.Series), (mine.Stats.Samples, mine.Stats.Series));
            var sizes = $"our block has {mine.SizeBytes} bytes for {mine.Stats.Samples} samples, Prometheus' {opened.SizeBytes}";
            TestContext.Current.TestOutputHelper?.WriteLine(sizes);
            Assert.True(mine.SizeBytes <= opened.SizeBytes, sizes);
        }
    }

    // A counter, a gauge of few values, a noisy one, a constant, one with a gap; some with labels beyond ASCII.
    private static Series Metrics(int hours)
    {
        var random = new Random(11);
        var all = new List<(LabelSet, (long, double)[])>();
        for (var host = 0; host < 12; host++)
        {
            var instance = new Label("instance", $"web-{host}");
            var count = (int)(hours * TestData.Hour / 15_000);
            foreach (var mode in (string[])["user", "idle", "系统"])
            {
                var total = random.Next(1000) * 1.0;
                all.Add((new LabelSet(new Label("__name__", "cpu_seconds_total"), instance, new Label("mode", mode)), Every15s(count, _ => total += random.Next(0, 300) / 100.0)));
            }

            var requests = 0.0;
            all.Add((new LabelSet(new Label("__name__", "requests_total"), instance), Every15s(count, _ => requests += random.Next(0, 50))));
            all.Add((new LabelSet(new Label("__name__", "up"), instance), Every15s(count, _ => 1)));
            all.Add((new LabelSet(new Label("__name__", "load"), instance, new Label("q", "a\"b\\c")), [.. Every15s(count, _ => random.NextDouble()).Where((_, i) => i % 100 < 70)]));
        }

        return new Series(all);
    }

    // Samples by turns: the parts overlap everywhere and have no time in common.
    private static Series Third(Series all, int part) => new(all.InOrder.Select(pair =>
        (pair.Key, pair.Value.Where((_, i) => i % 3 == part).Select(sample => (sample.Key, sample.Value)).ToArray())));

    private static (long, double)[] Every15s(int count, Func<int, double> value) =>
        [.. Enumerable.Range(0, count).Select(i => (Start + (i * 15_000L), value(i)))];

    private static string OpenMetrics(Series series)
    {
        var text = new StringBuilder();
        foreach (var metric in series.InOrder.GroupBy(pair => pair.Key.MetricName))
        {
            text.Append(CultureInfo.InvariantCulture, $"# TYPE {metric.Key} unknown\n");
            foreach (var (labels, samples) in metric)
            {
                var inside = string.Join(",", labels.Labels.ToArray().Where(label => label.Name != "__name__").Select(label =>
                    $"{label.Name}=\"{label.Value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\""));
                foreach (var (time, value) in samples)
                {
                    text.Append(CultureInfo.InvariantCulture, $"{metric.Key}{{{inside}}} {value:R} {time / 1000}\n");
                }
            }
        }

        return text.Append("# EOF\n").ToString();
    }

    // What a query sees at each step: the newest sample of the last five minutes.
    private static Series OnGrid(Series raw, long end) => new(raw.InOrder.Select(pair =>
    {
        var points = new List<(long, double)>();
        SortedDictionary<long, double> samples = pair.Value;
        var times = samples.Keys.ToArray();
        for (var at = Start; at <= end; at += 97_000)
        {
            var found = Array.BinarySearch(times, at);
            found = found >= 0 ? found : ~found - 1;
            if (found >= 0 && times[found] >= at - 300_000)
            {
                points.Add((at, samples[times[found]]));
            }
        }

        return (pair.Key, points.ToArray());
    }).Where(pair => pair.Item2.Length > 0));

    private static LabelMatcher[] Parse(string selector)
    {
        if (!selector.StartsWith('{'))
        {
            return [LabelMatcher.Equal("__name__", selector)];
        }

        return [.. Condition().Matches(selector).Select(match => TestData.Matcher(match.Groups[1].Value, match.Groups[2].Value switch
        {
            "=" => MatchKind.Equal,
            "!=" => MatchKind.NotEqual,
            "=~" => MatchKind.Regex,
            _ => MatchKind.NotRegex,
        }, match.Groups[3].Value))];
    }

    private static Series ParseDump(string dump)
    {
        var all = new Dictionary<LabelSet, List<(long, double)>>();
        foreach (var line in dump.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var end = line.LastIndexOf('}');
            var labels = new LabelSet([.. LabelOfDump().Matches(line[..end]).Select(match => new Label(match.Groups[1].Value, Regex.Unescape(match.Groups[2].Value)))]);
            var numbers = line[(end + 2)..].Split(' ');
            if (!all.TryGetValue(labels, out var samples))
            {
                all.Add(labels, samples = []);
            }

            samples.Add((long.Parse(numbers[1], CultureInfo.InvariantCulture), double.Parse(numbers[0], CultureInfo.InvariantCulture)));
        }

        return new Series(all.Select(pair => (pair.Key, pair.Value.ToArray())));
    }

    [GeneratedRegex("(\\w+)(=~|!~|!=|=)\"([^\"]*)\"")]
    private static partial Regex Condition();

    [GeneratedRegex("(\\w+)=\"((?:[^\"\\\\]|\\\\.)*)\"")]
    private static partial Regex LabelOfDump();
}
