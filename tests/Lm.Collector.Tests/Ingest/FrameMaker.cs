using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Tests.Ingest;

/// <summary>Frames through the real encoder.</summary>
internal static class FrameMaker
{
    private static readonly MetricDescriptor Load = new("node_load1", MetricType.Gauge, "", "Load.");

    public static readonly QueueId Queue = new(7);

    public static byte[] Frame(ulong sequence, UnixMillis at, double value = 1, string agent = "a1", QueueId? queue = null, ulong? end = null, long[]? times = null)
    {
        var encoder = new BatchEncoder();
        encoder.Begin(at, 15_000, []);
        if (times is null)
        {
            encoder.Add(Load, [], value);
        }
        else
        {
            encoder.AddSamples(Load, [], [.. times.Select(time => new UnixMillis(time))], [.. times.Select(_ => value)]);
        }

        return encoder.EncodeFrame(new BatchKey(agent, queue ?? Queue, new SequenceRange(sequence, end ?? sequence))).ToArray();
    }
}
