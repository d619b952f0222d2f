using System.Diagnostics;
using System.Globalization;
using IronSnappy;
using Lm.Platform;
using Lm.Protocol.RemoteWrite;
using Lm.TestKit;

namespace Lm.Benchmarks;

/// <summary>A remote-write request of 1,250 series with a sample each, as a busy Prometheus sends them: decompressed by us and by a package, and decoded.</summary>
internal sealed class WriteBenchmark
{
    private const int SeriesCount = 1250;

    private readonly byte[] body = Snappy.Encode(Request());
    private readonly byte[] payload;
    private readonly DecodedWrite write = new();
    private readonly WriteLimits limits = new();

    public WriteBenchmark()
    {
        SnappyBlock.TryReadLength(body, out var length);
        payload = new byte[length];
    }

    public void Run()
    {
        Measure("write_decompress", () => SnappyBlock.TryDecompress(body, payload) ? 1 : throw Unreadable());
        Measure("write_decompress_ironsnappy", () => Snappy.Decode(body).Length);
        Measure("write_decode", () => RemoteWriteDecoder.TryDecode(payload, limits, write, out _) ? write.SampleCount : throw Unreadable());
    }

    private static byte[] Request()
    {
        var maker = new WriteRequestMaker();
        for (var i = 0; i < SeriesCount; i++)
        {
            (string, string)[] labels =
            [
                ("__name__", "node_cpu_seconds_total"), ("cpu", (i / 8).ToString(CultureInfo.InvariantCulture)), ("instance", "host-0003:9100"), ("job", "node"),
                ("mode", "mode" + (i % 8)),
            ];
            maker.Series(labels, (1_700_000_000_000, i * 1.25));
        }

        return maker.ToPayload();
    }

    private static InvalidOperationException Unreadable() => new("the benchmark's own request cannot be read");

    private void Measure(string name, Func<int> act)
    {
        const int count = 2000;
        long result = 0;
        for (var i = 0; i < count / 4; i++)
        {
            result += act();
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
        {
            result += act();
        }

        var took = Stopwatch.GetElapsedTime(began);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Debug.Assert(result > 0, "the work is not optimized away");
        Console.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{{\"benchmark\":\"{name}\",\"body_bytes\":{body.Length},\"payload_bytes\":{payload.Length},\"us\":{took.TotalMicroseconds / count:0.0},"
            + $"\"ns_per_sample\":{took.TotalNanoseconds / count / SeriesCount:0.0},\"allocated_bytes\":{allocated / count}}}"));
    }
}
