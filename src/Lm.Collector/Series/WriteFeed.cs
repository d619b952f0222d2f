using System.Runtime.InteropServices;
using System.Text;
using Lm.Collector.Spool;
using Lm.Protocol.RemoteWrite;
using Lm.Tsdb;
using Lm.Tsdb.Head;

namespace Lm.Collector.Series;

/// <summary>Feeds remote-write requests into the head, series exactly as sent.</summary>
/// <remarks>Single-threaded. A sender repeats a series' labels byte for byte in each request, so a series is found by those bytes; only labels that are new
/// become strings. Different bytes of one label set (an empty label more, say) end at the same series.</remarks>
internal sealed class WriteFeed(Head head, MetricCatalog catalog)
{
    // Series written under one hold of the head's gate: a request may have a million, and readers wait meanwhile.
    private const int SliceSeries = 1024;

    // Series looked up under one hold: new ones become strings there.
    private const int LookupSeries = 256;

    private readonly KnownSeries known = new(head);

    /// <summary>Takes one request.</summary>
    public void Apply(AcceptedWrite write)
    {
        var (next, nextDropped, end) = (0, 0, Math.Min(write.Write.Series.Length, write.Verdict.SeriesEnd));
        do
        {
            using var scope = head.EnterBatch(write.ReceivedAt);
            known.Refresh();
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

    /// <summary>Finds the series of a request that the head does not have. Any thread.</summary>
    public void FindNew(DecodedWrite write, List<NewSeries> into)
    {
        for (var next = 0; next < write.Series.Length;)
        {
            using var scope = head.EnterLookup();
            for (var end = Math.Min(write.Series.Length, next + LookupSeries); next < end; next++)
            {
                ref readonly var series = ref write.Series[next];
                if (series.Fault == WriteFault.None && !known.IsHeld(SeriesKey.Of(write.LabelBytes(series))) && !head.Contains(LabelsOf(write, series)))
                {
                    into.Add(new NewSeries(next, 1));
                }
            }
        }
    }

    private static LabelSet LabelsOf(DecodedWrite write, in WriteSeries series)
    {
        var labels = new List<Label>();
        for (var read = write.Labels(series); read.MoveNext();)
        {
            labels.Add(new Label(Encoding.UTF8.GetString(read.Name), Encoding.UTF8.GetString(read.Value)));
        }

        return new LabelSet(CollectionsMarshal.AsSpan(labels));
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
        var key = SeriesKey.Of(write.LabelBytes(series));
        var found = known.Find(key);
        if (found < 0)
        {
            known.Begin();
            var read = write.Labels(series);
            while (read.MoveNext())
            {
                known.Add(read.Name, read.Value);
            }

            found = known.End();
            if (!series.HasOtherFields) // else the bytes are another time's as well
            {
                known.Remember(key, found);
            }
        }

        return found;
    }

    private void Describe(DecodedWrite write)
    {
        foreach (ref readonly var each in write.Metadata)
        {
            catalog.Describe(Encoding.UTF8.GetString(write.Text(each.Metric)), new MetricMetadata(each.Type, Encoding.UTF8.GetString(SeriesFeed.Cut(write.Text(each.Unit))), Encoding.UTF8.GetString(SeriesFeed.Cut(write.Text(each.Help)))));
        }
    }
}
