using System.Diagnostics;
using Lm.Tsdb;
using Lm.Tsdb.Chunks;

namespace Lm.Benchmarks;

/// <summary>Decoding of chunks of 120 samples into a query's buffer, by kind of series: the inner loop of every query.</summary>
internal static class ChunkBenchmark
{
    private const int Chunks = 2000;

    public static void Run(int seconds)
    {
        var random = new Random(1);
        var total = 0.0;
        Measure("constant", seconds, _ => 1);
        Measure("counter_whole", seconds, _ => total += random.Next(0, 50));
        Measure("counter_hundredths", seconds, _ => total += random.Next(0, 300) / 100.0);
        Measure("gauge_steps", seconds, _ => random.Next(0, 8) * 1024.0);
        Measure("gauge_noise", seconds, _ => random.NextDouble());
    }

    private static void Measure(string kind, int seconds, Func<int, double> value)
    {
        var chunks = Enumerable.Range(0, Chunks).Select(number => Encode(number, value)).ToArray();
        var samples = new SampleBuffer();
        var (rounds, began) = (0, Stopwatch.GetTimestamp());
        while (Stopwatch.GetElapsedTime(began).TotalSeconds < seconds)
        {
            foreach (var chunk in chunks)
            {
                samples.Clear();
                if (!XorChunkReader.TryRead(chunk, long.MinValue, long.MaxValue, samples) || samples.Count != XorChunk.SamplesMax)
                {
                    throw new InvalidOperationException("a chunk that was just written is not read");
                }
            }

            rounds++;
        }

        var decoded = (double)rounds * Chunks * XorChunk.SamplesMax;
        var elapsed = Stopwatch.GetElapsedTime(began);
        Report.Print($"chunk_decode_{kind}", ("ns_per_sample", elapsed.TotalNanoseconds / decoded), ("bytes_per_sample", chunks.Average(chunk => (double)chunk.Length) / XorChunk.SamplesMax));
    }

    private static byte[] Encode(int number, Func<int, double> value)
    {
        var chunk = new XorChunk(expectedBytes: 0);
        for (var i = 0; i < XorChunk.SamplesMax; i++)
        {
            chunk.Append(1_700_000_000_000 + (((number * XorChunk.SamplesMax) + i) * 15_000L), value(i));
        }

        chunk.Seal();
        return chunk.Bytes.ToArray();
    }
}
