using System.Diagnostics;
using System.Globalization;
using Lm.Platform;
using Lm.Protocol.RemoteWrite;
using Lm.TestKit;

namespace Lm.Fuzz;

/// <summary>Reads damaged remote-write bodies and checks that nothing throws, that memory stays within the limits, and that what is taken is valid.</summary>
internal sealed class WriteFuzz
{
    private const int PayloadMax = 1 << 18;

    // All arrays at what these limits allow, doubled into, and a sentence.
    private const long AllocatedMax = 1 << 20;

    // As for frames: a decode takes microseconds.
    private static readonly TimeSpan DecodeMax = TimeSpan.FromMilliseconds(100);

    private static readonly WriteLimits Small = new() { SeriesMax = 8, SamplesMax = 40, LabelsPerSeriesMax = 4, LabelNameBytesMax = 14, LabelValueBytesMax = 64 };

    private readonly byte[][] payloads = Seeds();
    private readonly byte[] room = new byte[PayloadMax];
    private readonly Mutator mutator;
    private DecodedWrite write = new();
    private byte[] body = [];
    private long blocks;
    private long requests;
    private long series;
    private long allocatedMax;
    private TimeSpan slowest;

    private WriteFuzz() => mutator = new Mutator(payloads);

    /// <summary>Runs from one iteration on.</summary>
    /// <returns>0, or 1 with the failing iteration and its bytes on standard error.</returns>
    public static int Run(long seed, long first, long count)
    {
        var fuzz = new WriteFuzz();
        var started = Stopwatch.StartNew();
        for (var at = first; at < first + count; at++)
        {
            try
            {
                fuzz.Iterate(seed, at);
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                Console.Error.WriteLine($"failed at iteration {at} (repeat: writes --seed {seed} --at {at}): {exception}");
                Console.Error.WriteLine(Convert.ToBase64String(fuzz.body));
                return 1;
            }
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{{\"fuzz\":\"writes\",\"count\":{count},\"seed\":{seed},\"seconds\":{started.Elapsed.TotalSeconds:0.0},\"blocks\":{fuzz.blocks},\"requests\":{fuzz.requests},"
            + $"\"series\":{fuzz.series},\"allocated_bytes_max\":{fuzz.allocatedMax},\"slowest_decode_us\":{fuzz.slowest.TotalMicroseconds:0}}}"));
        return 0;
    }

    private static byte[][] Seeds() =>
    [
        new WriteRequestMaker().Series([("__name__", "up"), ("instance", "h:9100"), ("job", "node")], (1_767_323_045_000, 1)).ToPayload(),
        new WriteRequestMaker()
            .Series([("__name__", "node_cpu_seconds_total"), ("cpu", "0"), ("mode", "idle")], Enumerable.Range(0, 12).Select(i => (1_767_323_045_000 + (15_000L * i), i * 1.5)))
            .Series([("__name__", "größe"), ("leer", "")], (1, double.NaN), (0, 0))
            .ToPayload(),
        new WriteRequestMaker().Metadata(1, "node_cpu_seconds_total", "Seconds in each mode.", "seconds").Metadata(5, "rpc", "", "").ToPayload(),
        new WriteRequestMaker().Field(1, [.. WriteRequestMaker.Label("__name__"u8.ToArray(), "h"u8.ToArray()), 0x22, 3, 8, 1, 0x1a, 0, 0x1a, 2, 8, 1]).ToPayload(),
        [],
    ];

    private void Iterate(long seed, long at)
    {
        mutator.Seed(seed, at);
        if (mutator.Next(16) == 0)
        {
            write = new DecodedWrite(); // so that what arrays of earlier requests hide is seen
        }

        body = MutatedBody();
        var isBlock = SnappyBlock.TryReadLength(body, out var length) && length <= PayloadMax;
        Check(isBlock || length <= PayloadMax || length <= body.Length * 64L, "a declared length is one that the block can have");
        if (!isBlock)
        {
            return;
        }

        // What lies behind the destination must stay as it is.
        room.AsSpan(length).Fill(0xa5);
        if (SnappyBlock.TryDecompress(body, room.AsSpan(0, length)))
        {
            blocks++;
            Decode(length);
        }

        Check(room.AsSpan(length).IndexOfAnyExcept((byte)0xa5) < 0, "nothing is written behind the destination");
    }

    // Three of four times the message is damaged and the block around it whole, so that the decoder is really reached.
    private byte[] MutatedBody()
    {
        var source = payloads[mutator.Next(payloads.Length)];
        var damaged = mutator.Next(4) == 0 ? source : mutator.Message(source);
        var block = WriteRequestMaker.Block(damaged.Length > PayloadMax ? source : damaged);
        return mutator.Next(4) == 0 ? mutator.Bytes(block) : block;
    }

    private void Decode(int length)
    {
        var bytes = room.AsMemory(0, length);
        var started = Stopwatch.GetTimestamp();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var isRequest = RemoteWriteDecoder.TryDecode(bytes, Small, write, out var fault);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        var took = Stopwatch.GetElapsedTime(started);
        allocatedMax = Math.Max(allocatedMax, allocated);
        slowest = took > slowest ? took : slowest;
        Check(allocated <= AllocatedMax, $"decoding {length} bytes allocated {allocated}");
        Check(took < DecodeMax || IsFastAgain(bytes), $"decoding {length} bytes took {took}, and as long again");
        if (!isRequest)
        {
            Check(fault.Length is > 0 and < 1000 && !fault.AsSpan().ContainsAny('\n', '\r', '\e'), "a fault is one line");
            return;
        }

        requests++;
        CheckRequest();
    }

    private bool IsFastAgain(ReadOnlyMemory<byte> bytes)
    {
        for (var left = 3; left > 0; left--)
        {
            var started = Stopwatch.GetTimestamp();
            RemoteWriteDecoder.TryDecode(bytes, Small, write, out _);
            if (Stopwatch.GetElapsedTime(started) < DecodeMax)
            {
                return true;
            }
        }

        return false;
    }

    private void CheckRequest()
    {
        Check(write.Series.Length <= Small.SeriesMax && write.SampleCount <= Small.SamplesMax, "no more is kept than allowed");
        foreach (ref readonly var each in write.Series)
        {
            series++;
            Check(write.Samples(each).Length == each.SampleCount, "its samples are there");
            if (each.Fault == WriteFault.None)
            {
                CheckLabels(each);
            }
        }
    }

    private void CheckLabels(in WriteSeries each)
    {
        var labels = write.Labels(each);
        var (before, count, hasName) = (Array.Empty<byte>(), 0, false);
        while (labels.MoveNext())
        {
            Check(!labels.Name.IsEmpty && before.AsSpan().SequenceCompareTo(labels.Name) < 0, "labels have names, sorted, each once");
            Check(System.Text.Unicode.Utf8.IsValid(labels.Name) && System.Text.Unicode.Utf8.IsValid(labels.Value), "labels are UTF-8");
            var isName = labels.Name.SequenceEqual("__name__"u8);
            Check(isName || (labels.Name.Length <= Small.LabelNameBytesMax && labels.Value.Length <= Small.LabelValueBytesMax), "labels are no longer than allowed");
            Check(!(labels.Name.SequenceEqual("job"u8) && labels.Value.SequenceEqual("lightmetrics"u8)), "the reserved job is refused");
            hasName |= isName && !labels.Value.IsEmpty;
            count += isName || labels.Value.IsEmpty ? 0 : 1;
            before = labels.Name.ToArray();
        }

        Check(hasName && count <= Small.LabelsPerSeriesMax, "a series has a name and no more labels than allowed");
    }

    private static void Check(bool condition, string what)
    {
        if (!condition)
        {
            throw new InvalidOperationException($"not so: {what}");
        }
    }
}
