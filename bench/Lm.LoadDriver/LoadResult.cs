using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Lm.LoadDriver;

/// <summary>What one run measured.</summary>
/// <param name="Batches">Batches answered.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Latencies">From the first byte sent to the last byte read, in timestamp ticks, ascending.</param>
/// <param name="CpuSeconds">The server's CPU time during the run; NaN when its process is not known.</param>
/// <param name="PeakRssMiB">The server's largest resident size so far; NaN when its process is not known.</param>
/// <param name="FrameBytes">Mean size of a frame.</param>
internal sealed record LoadResult(long Batches, double Seconds, long[] Latencies, double CpuSeconds, double PeakRssMiB, double FrameBytes)
{
    public double BatchesPerSecond => Batches / Seconds;

    public double Samples => (double)Batches * HeartbeatBatch.SeriesCount;

    /// <summary>The results of several rounds as one.</summary>
    public static LoadResult Sum(IReadOnlyCollection<LoadResult> rounds) => new(
        rounds.Sum(round => round.Batches),
        rounds.Sum(round => round.Seconds),
        [.. rounds.SelectMany(round => round.Latencies).Order()],
        rounds.Sum(round => round.CpuSeconds),
        rounds.Max(round => round.PeakRssMiB),
        rounds.Average(round => round.FrameBytes));

    public double Milliseconds(double quantile) => Latencies.Length == 0
        ? double.NaN
        : Stopwatch.GetElapsedTime(0, Latencies[Math.Min(Latencies.Length - 1, (int)(quantile * Latencies.Length))]).TotalMilliseconds;

    public void Write(Utf8JsonWriter json)
    {
        Number(json, "batches", Batches);
        Number(json, "seconds", Seconds);
        Number(json, "batches_per_s", BatchesPerSecond);
        Number(json, "samples_per_s", Samples / Seconds);
        Number(json, "p50_ms", Milliseconds(0.5));
        Number(json, "p99_ms", Milliseconds(0.99));
        Number(json, "p999_ms", Milliseconds(0.999));
        Number(json, "frame_bytes", FrameBytes);
        Number(json, "server_cpu_s", CpuSeconds);
        Number(json, "server_cpu_s_per_million_samples", CpuSeconds / Samples * 1e6);
        Number(json, "server_peak_rss_mib", PeakRssMiB);
    }

    public static void Number(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
        {
            json.WriteNumber(name, Math.Round(value, 3));
        }
        else
        {
            json.WriteNull(name);
        }
    }

    /// <summary>One line of JSON on standard output.</summary>
    public static void PrintLine(Action<Utf8JsonWriter> fill)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            fill(json);
            json.WriteEndObject();
        }

        Console.Out.WriteLine(Encoding.UTF8.GetString(buffer.ToArray()));
    }
}
