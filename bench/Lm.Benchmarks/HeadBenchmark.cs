using System.Diagnostics;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Tsdb;
using Lm.Tsdb.Head;
using Label = Lm.Tsdb.Label;

namespace Lm.Benchmarks;

/// <summary>The head with agents of 107 series each: what a sample costs, what a series takes, and how long a checkpoint, a search and a restart take.</summary>
internal sealed class HeadBenchmark
{
    private const int Width = 107;
    private const int IntervalMs = 15_000;
    private const long Start = 1_767_326_400_000;

    // 64 MiB of spool at 14 bytes a sample.
    private const long CheckpointSamples = 4_800_000;

    private readonly HeadOptions options;
    private readonly bool inRows;
    private readonly int agents;
    private readonly Agent[] all;
    private readonly long residentBefore;
    private Head head;
    private long position;
    private double checkpointLongest;

    private HeadBenchmark(string directory, int series, bool inRows)
    {
        this.inRows = inRows;
        agents = series / Width;
        options = new HeadOptions { Directory = directory, Incarnation = Guid.Empty };
        GC.Collect();
        residentBefore = Resident();
        head = Head.Open(new PhysicalFileSystem(), options, out _);
        all = new Agent[agents];
    }

    /// <summary>Runs with a number of series.</summary>
    public static void Run(string directory, int series, long samples, bool inRows)
    {
        var folder = Path.Combine(directory, "head-" + Guid.NewGuid().ToString("N"));
        try
        {
            new HeadBenchmark(folder, series, inRows).Run(samples);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private void Run(long samples)
    {
        var began = Stopwatch.GetTimestamp();
        AddSeries();
        var adding = Stopwatch.GetElapsedTime(began);
        Fill(0, 9); // a first row flush: slots and chunks are made
        var rounds = (int)Math.Max(9, samples / (agents * Width));
        var cpuBefore = Process.GetCurrentProcess().TotalProcessorTime;
        began = Stopwatch.GetTimestamp();
        Fill(9, rounds);
        var filling = Stopwatch.GetElapsedTime(began);
        var cpu = Process.GetCurrentProcess().TotalProcessorTime - cpuBefore;
        var written = (long)rounds * agents * Width;
        var now = head.Statistics();
        Report.Print(
            "head_append",
            ("series", now.Series),
            ("in_rows", inRows ? 1 : 0),
            ("samples", written),
            ("us_per_new_series", adding.TotalMicroseconds / now.Series),
            ("ns_per_sample", filling.TotalNanoseconds / written),
            ("cpu_ns_per_sample", cpu.TotalNanoseconds / written),
            ("longest_checkpoint_s", checkpointLongest),
            ("series_table_bytes_per_series", (double)now.SeriesBytes / now.Series),
            ("open_bytes_per_series", (double)now.OpenBytes / now.Series),
            ("row_bytes_per_series", (double)now.RowBytes / now.Series),
            ("sealed_bytes_per_series", (double)now.SealedBytes / now.Series),
            ("file_bytes_per_sample", (double)now.FileBytes / now.Samples),
            ("resident_bytes_per_series", (double)(Resident() - residentBefore) / now.Series),
            ("peak_resident_mb", Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0));
        Read(now.Series);
        Reopen();
    }

    private void AddSeries()
    {
        for (var i = 0; i < agents; i++)
        {
            var agent = all[i] = new Agent { Series = new int[Width], Values = new double[Width] };
            using (head.EnterBatch(new UnixMillis(Start)))
            {
                for (var at = 0; at < Width; at++)
                {
                    agent.Series[at] = head.FindOrAdd(LabelsOf(i, at));
                }

                agent.Rows = inRows ? head.TryClaim(agent.Series) : null;
            }
        }
    }

    private void Fill(int first, int rounds)
    {
        var random = new Random(1);
        for (var round = first; round < first + rounds; round++)
        {
            for (var i = 0; i < all.Length; i++)
            {
                Append(all[i], Start + ((long)round * IntervalMs) + (i % IntervalMs), round, random);
                position += Width;
                if (position % CheckpointSamples < Width)
                {
                    Checkpoint();
                }
            }
        }
    }

    // A third of the series stay as they are, a third count up evenly, a third count up by what happens.
    private void Append(Agent agent, long time, int round, Random random)
    {
        using (head.EnterBatch(new UnixMillis(time)))
        {
            var rows = agent.Rows;
            var next = rows is null ? agent.Values : rows.Next;
            for (var at = 0; at < Width; at++)
            {
                next[at] = (at % 3) switch { 0 => at, 1 => round * 150.0, _ => agent.Values[at] += random.Next(1000) };
            }

            if (rows is not null && head.TryAppendRow(rows, time))
            {
                return;
            }

            for (var at = 0; at < Width; at++)
            {
                head.Append(agent.Series[at], time, next[at]);
            }
        }
    }

    private void Checkpoint()
    {
        var began = Stopwatch.GetTimestamp();
        head.Checkpoint(new CommitPosition(0, position));
        checkpointLongest = Math.Max(checkpointLongest, Stopwatch.GetElapsedTime(began).TotalSeconds);
        head.Maintain();
    }

    private void Read(long series)
    {
        ReadOnce(series, isReported: false); // what is compiled on first use
        ReadOnce(series, isReported: true);
    }

    private void ReadOnce(long series, bool isReported)
    {
        var buffer = new SampleBuffer();
        var began = Stopwatch.GetTimestamp();
        using (var one = head.Find([LabelMatcher.Equal("__name__", "metric_5"), LabelMatcher.Equal("instance", "host-7")], 0, long.MaxValue, CancellationToken.None))
        {
            one.Read(0, 0, long.MaxValue, buffer);
        }

        var single = Stopwatch.GetElapsedTime(began);
        buffer.Clear();
        began = Stopwatch.GetTimestamp();
        var newest = Start + (position / (agents * Width) * IntervalMs);
        using var many = head.Find([LabelMatcher.Equal("__name__", "metric_5")], newest - 300_000, newest, CancellationToken.None);
        for (var i = 0; i < many.Count; i++)
        {
            many.Labels(i);
            many.Read(i, newest - 300_000, newest, buffer);
        }

        var all = Stopwatch.GetElapsedTime(began);
        if (!isReported)
        {
            return;
        }

        Report.Print("head_read", ("series", series), ("us_one_series_all", single.TotalMicroseconds), ("series_of_a_name", many.Count), ("us_per_series_5m", all.TotalMicroseconds / many.Count), ("samples", buffer.Count));
    }

    private void Reopen()
    {
        head.Checkpoint(new CommitPosition(0, position));
        head.Dispose();
        head = null!;
        Array.Clear(all);
        GC.Collect();
        var began = Stopwatch.GetTimestamp();
        head = Head.Open(new PhysicalFileSystem(), options, out var opening);
        var took = Stopwatch.GetElapsedTime(began);
        Report.Print("head_open", ("series", opening.Series), ("windows", opening.Windows), ("seconds", took.TotalSeconds), ("file_mb", head.Statistics().FileBytes / 1048576.0));
        head.Dispose();
    }

    private static LabelSet LabelsOf(int agent, int metric)
    {
        var number = agent.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var name = metric.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return new LabelSet(
            new Label("__name__", "metric_" + name), new Label("instance", "host-" + number), new Label("job", "node"), new Label("os", "linux"),
            new Label("zone", "zone-" + (agent % 4)), new Label("rack", "rack-" + (agent % 100)), new Label("device", "dev-" + (metric % 8)), new Label("mode", "mode-" + (metric % 5)));
    }

    private static long Resident()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private sealed class Agent
    {
        public required int[] Series { get; init; }

        public required double[] Values { get; init; }

        public HeadRows? Rows { get; set; }
    }
}
