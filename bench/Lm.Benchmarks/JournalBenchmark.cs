using System.Diagnostics;
using Lm.Journal;
using Lm.Platform.Files;

namespace Lm.Benchmarks;

/// <summary>Appends of a heartbeat's size, each waited for until it is durable, by 1, 16 and 256 writers at once: what group commit gives.</summary>
internal static class JournalBenchmark
{
    private const int RecordBytes = 3000;

    public static async Task RunAsync(string directory, int seconds)
    {
        foreach (var writers in (int[])[1, 16, 256])
        {
            var folder = Path.Combine(directory, $"lm-bench-{writers}-{Guid.NewGuid():n}");
            try
            {
                await MeasureAsync(folder, writers, TimeSpan.FromSeconds(seconds));
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static async Task MeasureAsync(string folder, int writers, TimeSpan duration)
    {
        var files = new PhysicalFileSystem();
        await using var journal = Journal.Journal.Open(files, folder, new JournalOptions());
        var record = new byte[RecordBytes];
        Random.Shared.NextBytes(record);
        var latencies = new List<long>[writers];
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
        {
            var mine = latencies[writer] = [];
            while (Stopwatch.GetElapsedTime(began) < duration)
            {
                var start = Stopwatch.GetTimestamp();
                await journal.AppendAsync(record, default, null, CancellationToken.None);
                mine.Add(Stopwatch.GetTimestamp() - start);
            }
        })));
        var elapsed = Stopwatch.GetElapsedTime(began).TotalSeconds;
        long[] all = [.. latencies.SelectMany(list => list).Order()];
        Report.Print(
            "journal_append", ("writers", writers), ("record_bytes", RecordBytes), ("appends", all.Length), ("appends_per_s", all.Length / elapsed),
            ("mib_per_s", all.Length / elapsed * RecordBytes / (1 << 20)), ("p50_ms", Quantile(all, 0.5)), ("p99_ms", Quantile(all, 0.99)), ("p999_ms", Quantile(all, 0.999)));
    }

    private static double Quantile(long[] sorted, double quantile) =>
        sorted.Length == 0 ? 0 : Stopwatch.GetElapsedTime(0, sorted[Math.Min(sorted.Length - 1, (int)(quantile * sorted.Length))]).TotalMilliseconds;
}
