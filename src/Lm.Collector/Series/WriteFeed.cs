using System.Runtime.InteropServices;
using System.Text;
using Lm.Collector.Spool;
using Lm.Platform;
using Lm.Protocol.RemoteWrite;
using Lm.Tsdb;
using Lm.Tsdb.Head;

namespace Lm.Collector.Series;

/// <summary>Feeds remote-write requests into the head, series exactly as sent.</summary>
/// <remarks>
/// Single-threaded. A sender repeats a series' labels byte for byte in each request, so a series is found by those bytes; only bytes that are new become
/// strings. Different bytes of one label set (an empty label more, say) end at the same series. The lookup table is a cache: it is emptied when it
/// is full or series were removed.
/// </remarks>
internal sealed class WriteFeed(Head head, MetricCatalog catalog)
{
    // As the feed of batches has it: twice the default series, and the texts of both tables.
    private const int KnownMax = 524_288;
    private const long TextBytesMax = 96L << 20;
    private const int EntryBytes = 64;

    // Series written under one hold of the head's gate: a request may have a million, and readers wait meanwhile.
    private const int SliceSeries = 1024;

    private readonly Dictionary<byte[], int> known = new(ByteKeyComparer.Instance);
    private readonly Dictionary<string, string> strings = new(StringComparer.Ordinal);
    private readonly List<Label> labels = [];
    private int knownGeneration;
    private long textBytes;

    /// <summary>Takes one request.</summary>
    public void Apply(AcceptedWrite write)
    {
        var (next, nextDropped, end) = (0, 0, Math.Min(write.Write.Series.Length, write.Verdict.SeriesEnd));
        do
        {
            using var scope = head.EnterBatch(write.ReceivedAt);
            ForgetRemoved();
            var sliceEnd = Math.Min(end, next + SliceSeries);
            for (; next < sliceEnd; next++)
            {
                if (nextDropped < write.Verdict.DroppedSeries.Count && write.Verdict.DroppedSeries[nextDropped] == next)
                {
                    nextDropped++;
                    continue;
                }

                Append(write, write.Write.Series[next]);
            }

            if (next == end)
            {
                Describe(write.Write);
            }
        }
        while (next < end);
    }

    private void Append(AcceptedWrite write, in WriteSeries series)
    {
        int? target = null;
        var (oldest, newest) = (write.Verdict.OldestAccepted.Value, write.Verdict.NewestAccepted.Value);
        foreach (ref readonly var sample in write.Write.Samples(series))
        {
            if (sample.Time >= oldest && sample.Time <= newest)
            {
                // Only now: a series none of whose samples is taken leaves no trace.
                target ??= Find(write.Write, series);
                head.Append(target.Value, sample.Time, sample.Value);
            }
        }
    }

    private int Find(DecodedWrite write, in WriteSeries series)
    {
        var key = write.LabelBytes(series);
        var lookup = known.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (lookup.TryGetValue(key, out var found))
        {
            return found;
        }

        labels.Clear();
        var read = write.Labels(series);
        while (read.MoveNext())
        {
            labels.Add(new Label(Text(read.Name), Text(read.Value)));
        }

        found = head.FindOrAdd(new LabelSet(CollectionsMarshal.AsSpan(labels)));
        if (!series.HasOtherFields) // else the bytes are another time's as well
        {
            lookup[key] = found;
            textBytes += key.Length + EntryBytes;
        }

        return found;
    }

    private void Describe(DecodedWrite write)
    {
        foreach (ref readonly var each in write.Metadata)
        {
            catalog.Describe(Text(write.Text(each.Metric)), new MetricMetadata(each.Type, Text(SeriesFeed.Cut(write.Text(each.Unit))), Text(SeriesFeed.Cut(write.Text(each.Help)))));
        }
    }

    // Series share most of their names and values: one string for each.
    private string Text(ReadOnlySpan<byte> utf8)
    {
        var text = Encoding.UTF8.GetString(utf8);
        ref var shared = ref CollectionsMarshal.GetValueRefOrAddDefault(strings, text, out var isKnown);
        textBytes += isKnown ? 0 : (sizeof(char) * text.Length) + EntryBytes;
        return shared ??= text;
    }

    private void ForgetRemoved()
    {
        if (knownGeneration != head.RemovalGeneration || known.Count >= KnownMax || textBytes >= TextBytesMax)
        {
            known.Clear();
            strings.Clear(); // those in use live on in their series; only sharing with them ends
            textBytes = 0;
            knownGeneration = head.RemovalGeneration;
        }
    }
}
