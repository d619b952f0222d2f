using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Lm.LoadDriver;
using Lm.Logs;
using Lm.Logs.Query;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Benchmarks;

/// <summary>The log store with syslog-like lines: what adding and sealing costs, what is stored, and how fast it is searched.</summary>
internal sealed class LogBenchmark(LogStore store, long lines, bool isShuffled)
{
    private const long Start = 1_767_326_400_000;
    private const long DayMs = 86_400_000;
    private const int BatchLines = 1000;
    private const int LinesPerSecond = 2000;
    private const int Repeats = 5;
    private const double MiB = 1048576;

    /// <summary>Runs with a number of lines; shuffled, they are of random times of one day, long over.</summary>
    public static void Run(string directory, long lines, int level, bool isShuffled)
    {
        var folder = Path.Combine(directory, "logs-" + Guid.NewGuid().ToString("N"));
        try
        {
            var options = new LogStoreOptions { Directory = folder, Incarnation = Guid.Empty, SealLevel = level };
            using var store = LogStore.Open(new PhysicalFileSystem(), options, out _);
            new LogBenchmark(store, lines, isShuffled).Run();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private void Run()
    {
        Append();
        Seal();
        if (isShuffled)
        {
            return; // searches are measured with lines as they come
        }

        var now = store.Statistics();
        Report.Print(
            "log_stored",
            ("lines", now.SealedLines),
            ("files", now.SealedFiles),
            ("raw_mb", now.SealedBodyBytes / MiB),
            ("stored_mb", now.SealedBytes / MiB),
            ("index_mb", store.Files.Sum(static file => file.IndexBytes) / MiB),
            ("raw_per_stored", (double)now.SealedBodyBytes / now.SealedBytes),
            ("bytes_per_line", (double)now.SealedBytes / now.SealedLines));
        Search("log_rare_word", new LogScan { From = 0, Until = long.MaxValue, Stream = static _ => true, Required = ["xylophone42"u8.ToArray()] }, static () => new CountStage());
        Search("log_rare_number", new LogScan { From = 0, Until = long.MaxValue, Stream = static _ => true, Required = ["10.17.33.254"u8.ToArray()] }, static () => new CountStage());
        Search("log_regex", new LogScan { From = 0, Until = long.MaxValue, Stream = static _ => true }, static () => new RegexStage());
        Search("log_all", new LogScan { From = 0, Until = long.MaxValue, Stream = static _ => true }, static () => new CountStage { TakesNone = true });
        Newest();
        Queries();
    }

    private void Append()
    {
        var source = new SyslogLines();
        StreamHead[] heads = [.. ((string[])["info", "warn", "error"]).Select(static severity => new StreamHead(new LogStream(
            [new("instance", "web1"), new("input", "syslog"), new("severity", severity), new("site", "lab")])))];
        var (time, bytes) = (Start, 0L);
        var random = new Random(1);
        var rare = lines / 2;
        using var process = Process.GetCurrentProcess();
        var cpuBefore = process.TotalProcessorTime;
        for (long i = 0; i < lines; i++)
        {
            time = isShuffled ? Start + (random.NextInt64(DayMs / 2000) * 1000) : Start + (i / LinesPerSecond * 1000); // as an agent reads it from such a line: whole seconds
            var body = i == rare ? "web1 app: xylophone42 was heard"u8 : source.Get(i, time);
            bytes += body.Length;
            var identity = new LogIdentity(new UInt128(0x0123456789abcdef, 0xfedcba9876543210), (ulong)(i / BatchLines) + 1, (int)(i % BatchLines));
            store.Append(new IncomingLine(time, heads[(i * 7919) % 20 < 18 ? 0 : 1 + (int)(i % 2)], identity, body, null), new UnixMillis(isShuffled ? Start + (2 * DayMs) : time));
            if (i % 1_000_000 == 999_999)
            {
                store.Checkpoint(new CommitPosition(0, i));
            }
        }

        process.Refresh();
        var cpu = process.TotalProcessorTime - cpuBefore; // with making the lines, some 30 ns each
        Report.Print("log_append", ("lines", lines), ("raw_mb", bytes / MiB), ("cpu_s", cpu.TotalSeconds), ("raw_mb_per_cpu_s", bytes / MiB / cpu.TotalSeconds));
    }

    private void Seal()
    {
        using var process = Process.GetCurrentProcess();
        var cpuBefore = process.TotalProcessorTime;
        store.Maintain(new UnixMillis(Start + (lines * 1000 / LinesPerSecond) + (3 * DayMs)));
        store.Checkpoint(new CommitPosition(1, 0));
        while (store.SealNext(new HashSet<uint>(), CancellationToken.None, out _))
        {
        }

        process.Refresh();
        var cpu = process.TotalProcessorTime - cpuBefore;
        var peak = process.PeakWorkingSet64 / MiB;
        var raw = store.Statistics().SealedBodyBytes / MiB;
        Report.Print("log_seal", ("cpu_s", cpu.TotalSeconds), ("raw_mb_per_cpu_s", raw / cpu.TotalSeconds), ("files", store.Files.Count), ("peak_mb", peak));
    }

    private void Search(string name, LogScan scan, Func<ILineStage<int>> stages)
    {
        var times = new List<double>();
        var (found, read, skipped) = (0, 0L, 0L);
        for (var i = 0; i < Repeats; i++)
        {
            var statistics = new LogScanStatistics();
            var began = Stopwatch.GetTimestamp();
            found = store.Read(scan, stages, statistics, CancellationToken.None).Count();
            times.Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
            (read, skipped) = (statistics.FramesRead, statistics.FramesSkipped);
        }

        times.Sort();
        var median = times[times.Count / 2];
        Report.Print(name, ("found", found), ("ms", median * 1000), ("raw_mb_per_s", store.Statistics().SealedBodyBytes / MiB / median), ("frames_read", read), ("frames_skipped", skipped));
    }

    // The same through the query language, as the collector's API runs it.
    private void Queries()
    {
        Query("{instance=\"web1\"} |= \"xylophone42\"");
        Query("{instance=\"web1\"} |~ \"port [0-9]{2}77\\\\b|items/[0-9]+99 \"");
        Query("{instance=\"web1\"} |~ \"[0-9]+\\\\.[0-9]+\\\\.7\\\\.7\\\\b\"");
        Query("{severity=\"error\"} !~ \"ssh|CRON|nginx|systemd\" | pattern \"<_> SRC=<source> <_>\" | source=\"10.0.0.1\"");
        Query("sum by (severity) (count_over_time({instance=\"web1\"}[5m]))");
        Query("sum(rate({instance=\"web1\"} |= \"Failed password\" [5m]))");
    }

    private void Query(string text)
    {
        if (!LogQuery.TryParse(text, out var query, out var fault))
        {
            throw new InvalidOperationException(fault.ToString());
        }

        var engine = new LogQueryEngine(store, new LogQueryLimits());
        var (times, found) = (new List<double>(), 0L);
        for (var i = 0; i < Repeats; i++)
        {
            var statistics = new LogScanStatistics();
            var began = Stopwatch.GetTimestamp();
            found = query!.IsMetric
                ? engine.Range(query, Start, Start + (lines * 1000 / LinesPerSecond), 300_000, statistics, CancellationToken.None).Series.Count
                : engine.Lines(query, new LogRange { From = 0, Until = long.MaxValue, IsBackward = true }, statistics, CancellationToken.None).LongCount();
            times.Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
        }

        times.Sort();
        var median = times[times.Count / 2];
        Report.Print("logql " + text, ("found", found), ("ms", median * 1000), ("raw_mb_per_s", store.Statistics().SealedBodyBytes / MiB / median));
    }

    private void Newest()
    {
        var statistics = new LogScanStatistics();
        var began = Stopwatch.GetTimestamp();
        var scan = new LogScan { From = 0, Until = long.MaxValue, Stream = static _ => true, IsBackward = true };
        var found = store.Read(scan, static () => new CountStage(), statistics, CancellationToken.None).Take(100).Count();
        Report.Print("log_newest_100", ("found", found), ("ms", Stopwatch.GetElapsedTime(began).TotalMilliseconds), ("frames_read", statistics.FramesRead));
    }

    private sealed class CountStage : ILineStage<int>
    {
        public bool TakesNone { get; init; }

        public bool TryTake(in LogLine line, out int taken)
        {
            taken = line.Body.Length;
            return !TakesNone;
        }

        public long SizeOf(int taken) => sizeof(int);
    }

    // A pattern without a text that every match has: no line can be ruled out before it.
    private sealed class RegexStage : ILineStage<int>
    {
        private static readonly Regex Pattern = new(@"port [0-9]{2}77\b|items/[0-9]+99 ", RegexOptions.Compiled | RegexOptions.CultureInvariant);

        private char[] chars = new char[1024];

        public bool TryTake(in LogLine line, out int taken)
        {
            taken = line.Body.Length;
            chars = chars.Length < line.Body.Length ? new char[line.Body.Length] : chars;
            var length = Encoding.UTF8.GetChars(line.Body, chars);
            return Pattern.IsMatch(chars.AsSpan(0, length));
        }

        public long SizeOf(int taken) => sizeof(int);
    }
}
