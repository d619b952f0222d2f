using System.Diagnostics;
using Lm.LoadDriver;
using Lm.Platform;
using Lm.Protocol;
using Lm.Protocol.Framing;

namespace Lm.Benchmarks;

/// <summary>One heartbeat of 107 series: built and framed, and read back as a collector reads it.</summary>
internal sealed class FrameBenchmark
{
    private readonly SimulatedAgent agent = new("bench-", 0, "a secret of no worth", "run");
    private readonly BatchEncoder encoder = new();
    private readonly DecodedBatch batch = new();
    private readonly Limits limits = new();
    private readonly byte[] frame;
    private readonly byte[] payload;
    private ulong sequence = 1;

    public FrameBenchmark()
    {
        frame = HeartbeatBatch.Encode(encoder, agent, 1, new UnixMillis(1_700_000_000_000));
        payload = new byte[limits.BatchBytesMax];
    }

    public void Run()
    {
        Measure("frame_encode", 20_000, () => HeartbeatBatch.Encode(encoder, agent, sequence++, new UnixMillis(1_700_000_000_000)).Length);
        Measure("frame_decode", 20_000, Decode);
        Measure("frame_checksum", 100_000, () => FrameReader.TryRead(frame, limits.BatchBytesMax, out _) == FrameStatus.Ok ? frame.Length : throw Unreadable());
    }

    private int Decode()
    {
        if (FrameReader.TryRead(frame, limits.BatchBytesMax, out var found) != FrameStatus.Ok
            || FrameReader.ReadPayload(frame, found, payload.AsSpan(0, found.PayloadLength)) != FrameStatus.Ok
            || BatchDecoder.Decode(payload.AsMemory(0, found.PayloadLength), limits, batch, out _) != DecodeStatus.Ok)
        {
            throw Unreadable();
        }

        return batch.Series.Length;
    }

    private static InvalidOperationException Unreadable() => new("the benchmark's own frame cannot be read");

    private void Measure(string name, int count, Func<int> act)
    {
        long result = 0;
        for (var i = 0; i < count / 4; i++)
        {
            result += act(); // warms up: the compiler's tiers, and the buffers that are reused
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
        {
            result += act();
        }

        var microseconds = Stopwatch.GetElapsedTime(began).TotalMicroseconds / count;
        Report.Print(name, ("count", count), ("us_per_batch", microseconds), ("batches_per_s", 1e6 / microseconds),
            ("allocated_bytes_per_batch", (double)(GC.GetAllocatedBytesForCurrentThread() - allocated) / count), ("frame_bytes", frame.Length), ("check", result % 97));
    }
}
