using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Lm.Collector.Ingest;
using Lm.Collector.Spool;
using Lm.Protocol;
using Lm.Tsdb;
using Lm.Tsdb.Head;
using Label = Lm.Tsdb.Label;

namespace Lm.Collector.Series;

/// <summary>Spool → head: applies the verdict, gives each series its identity, appends its samples.</summary>
/// <remarks>
/// The usual batch brings the same series as the one before of its agent, in the same places: <see cref="BatchShape"/> then knows them all. Else
/// each series is looked up by the bytes it came with (agent, common labels, own labels, as they stand in the batch); only one that is new in
/// this form goes through <see cref="Identity"/>. Different forms of one label set end at the same series. Shapes are a cache: it is emptied when
/// series were removed.
/// </remarks>
internal sealed class SeriesFeed(Head head, MetricCatalog catalog)
{
    // What people read of a metric; more is cut.
    private const int HelpBytesMax = 1024;

    // Some ten thousand agents' heartbeats.
    private const long ShapesBytesMax = 64L << 20;

    private readonly HashSet<int> described = [];
    private readonly KnownSeries known = new(head);
    private readonly Dictionary<string, BatchShape> shapes = new(StringComparer.Ordinal);
    private readonly Identity identity = new();
    private readonly List<Label> labels = [];
    private byte[] key = new byte[1024];
    private int keyLength;
    private int keyPrefix; // bytes of agent and common labels; 0 when they are not in the key yet
    private int generation;
    private long shapesBytes;

    /// <summary>Takes one batch.</summary>
    public void Apply(AcceptedBatch batch)
    {
        using var scope = head.EnterBatch(batch.ReceivedAt);
        ForgetRemoved();
        keyPrefix = 0;
        var shape = ShapeOf(batch.Batch);
        if (shape is null || !TryAppendRow(batch, shape))
        {
            AppendEach(batch, shape);
        }
    }

    /// <summary>Finds the series of a batch that the head does not have. Any thread.</summary>
    public void FindNew(DecodedBatch batch, List<NewSeries> into)
    {
        using var scope = head.EnterLookup(); // the feed has the gate for a whole batch: what it works with is free now
        if (shapes.TryGetValue(batch.Key.AgentId, out var last) && last.IsComplete && last.Matches(batch))
        {
            return;
        }

        keyPrefix = 0;
        for (var i = 0; i < batch.Series.Length; i++)
        {
            ref readonly var series = ref batch.Series[i];
            BeginKey(batch);
            AddToKey(batch, batch.Labels(series));
            var count = batch.Times(series).Length == 0 || known.IsHeld(SeriesKey.Of(key.AsSpan(0, keyLength))) ? 0 : 1;
            if (count > 0 || batch.Histograms(series).Length > 0)
            {
                Identify(batch, series);
                count = count > 0 && !head.Contains(new LabelSet(CollectionsMarshal.AsSpan(labels))) ? 1 : 0;
                count += CountNewParts(batch, series);
            }

            if (count > 0)
            {
                into.Add(new NewSeries(i, count));
            }
        }

        keyPrefix = 0;
    }

    private int CountNewParts(DecodedBatch batch, in DecodedSeries series)
    {
        var count = 0;
        var name = labels.Find(static label => label.Name == LabelSet.MetricNameLabel).Value ?? "";
        foreach (ref readonly var histogram in batch.Histograms(series))
        {
            for (var bucket = 0; bucket < batch.Counts(histogram).Length; bucket++)
            {
                count += head.Contains(PartOf(name + "_bucket", BoundOf(batch.Bounds(histogram), bucket))) ? 0 : 1;
            }

            count += head.Contains(PartOf(name + "_sum", "")) ? 0 : 1;
            count += head.Contains(PartOf(name + "_count", "")) ? 0 : 1;
        }

        return count;
    }

    // The usual batch: one sample for each series, all of one time, and later than what there is.
    private bool TryAppendRow(AcceptedBatch batch, BatchShape shape)
    {
        if (batch.Batch.Series.Length == 0 || batch.Verdict.DroppedSeries.Count > 0 || !shape.IsComplete)
        {
            return false;
        }

        if (!shape.HasAskedForRows)
        {
            (shape.HasAskedForRows, shape.Rows) = (true, head.TryClaim(shape.Series));
        }

        return shape.Rows is { } rows && TryFill(batch, rows, out var time) && head.TryAppendRow(rows, time);
    }

    private static bool TryFill(AcceptedBatch batch, HeadRows rows, out long time)
    {
        var series = batch.Batch.Series;
        var row = rows.Next;
        time = 0;
        for (var i = 0; i < series.Length; i++)
        {
            var times = batch.Batch.Times(series[i]);
            if (times.Length != 1 || (i > 0 && times[0] != time) || series[i].Help != 0 || series[i].Unit != 0)
            {
                return false;
            }

            time = times[0];
            row[i] = batch.Batch.Values(series[i])[0];
        }

        return time >= batch.Verdict.OldestAccepted.Value;
    }

    private void AppendEach(AcceptedBatch batch, BatchShape? shape)
    {
        var series = batch.Batch.Series;
        var dropped = batch.Verdict.DroppedSeries;
        var nextDropped = 0;
        for (var i = 0; i < series.Length; i++)
        {
            if (nextDropped < dropped.Count && dropped[nextDropped] == i)
            {
                nextDropped++;
                continue;
            }

            var target = BatchShape.UnknownSeries;
            Append(batch, series[i], ref shape is null ? ref target : ref shape.Series[i]);
        }
    }

    private void Append(AcceptedBatch batch, in DecodedSeries series, ref int target)
    {
        var oldest = batch.Verdict.OldestAccepted.Value;
        var times = batch.Batch.Times(series);
        var values = batch.Batch.Values(series);
        for (var i = 0; i < times.Length; i++)
        {
            if (times[i] >= oldest)
            {
                // Only now: a series all of whose samples are too old leaves no trace.
                if (target == BatchShape.UnknownSeries)
                {
                    target = Find(batch.Batch, series);
                }

                if ((series.Help != 0 || series.Unit != 0) && described.Add(target))
                {
                    Describe(head.LabelsOf(target).MetricName, batch.Batch, series);
                }

                head.Append(target, times[i], values[i]);
            }
        }

        foreach (ref readonly var histogram in batch.Batch.Histograms(series))
        {
            if (histogram.Time.Value >= oldest)
            {
                AppendHistogram(batch.Batch, series, histogram);
            }
        }
    }

    private int Find(DecodedBatch batch, in DecodedSeries series)
    {
        BeginKey(batch);
        AddToKey(batch, batch.Labels(series));
        var name = SeriesKey.Of(key.AsSpan(0, keyLength));
        var found = known.Find(name);
        if (found < 0)
        {
            known.Begin();
            foreach (ref readonly var label in identity.Build(batch, series))
            {
                known.Add(identity.Name(label), identity.Value(label));
            }

            found = known.End();
            known.Remember(name, found);
        }

        return found;
    }

    private void BeginKey(DecodedBatch batch)
    {
        keyLength = keyPrefix;
        if (keyPrefix == 0)
        {
            AddToKey(batch.Key.AgentId);
            AddToKey(batch, batch.CommonLabels);
            keyPrefix = keyLength;
        }
    }

    /// <summary>What the batch looks like, with the series found for the agent's last batch when that looked the same.</summary>
    private BatchShape? ShapeOf(DecodedBatch batch)
    {
        var agent = batch.Key.AgentId;
        if (shapes.TryGetValue(agent, out var last))
        {
            if (last.Matches(batch))
            {
                return last;
            }

            shapes.Remove(agent);
            Forget(last);
        }

        var shape = BatchShape.Of(batch);
        if (shape is not null && shapesBytes + shape.SizeBytes <= ShapesBytesMax)
        {
            shapes.Add(agent, shape);
            shapesBytes += shape.SizeBytes;
        }

        return shape;
    }

    private void Forget(BatchShape shape)
    {
        shapesBytes -= shape.SizeBytes;
        if (shape.Rows is { } rows)
        {
            head.Release(rows);
        }
    }

    private void Identify(DecodedBatch batch, in DecodedSeries series)
    {
        labels.Clear();
        foreach (ref readonly var label in identity.Build(batch, series))
        {
            labels.Add(new Label(Text(identity.Name(label)), Text(identity.Value(label))));
        }
    }

    // As Prometheus has had histograms from the start, and as its functions expect them: cumulative buckets by their upper bound `le`, sum and count.
    private void AppendHistogram(DecodedBatch batch, in DecodedSeries series, in DecodedHistogram histogram)
    {
        Identify(batch, series);
        var name = labels.Find(static label => label.Name == LabelSet.MetricNameLabel).Value ?? "";
        if (series.Help != 0 || series.Unit != 0 || !catalog.IsDescribed(name))
        {
            Describe(name, batch, series);
        }

        var bounds = batch.Bounds(histogram);
        var counts = batch.Counts(histogram);
        ulong cumulative = 0;
        for (var i = 0; i < counts.Length; i++)
        {
            cumulative += counts[i];
            AppendPart(name + "_bucket", BoundOf(bounds, i), histogram.Time.Value, cumulative);
        }

        AppendPart(name + "_sum", "", histogram.Time.Value, histogram.Sum);
        AppendPart(name + "_count", "", histogram.Time.Value, histogram.Count);
    }

    private static string BoundOf(ReadOnlySpan<double> bounds, int bucket)
    {
        Span<byte> text = stackalloc byte[PromNumber.BytesMax];
        return Text(text[..PromNumber.FormatValue(bucket < bounds.Length ? bounds[bucket] : double.PositiveInfinity, text)]);
    }

    private void AppendPart(string name, string upperBound, long time, double value) => head.Append(head.FindOrAdd(PartOf(name, upperBound)), time, value);

    // First come, first kept: these two stand before what the series brought under the same names.
    private LabelSet PartOf(string name, string upperBound) => new([new Label(LabelSet.MetricNameLabel, name), new Label("le", upperBound), .. labels]);

    private void Describe(string metric, DecodedBatch batch, in DecodedSeries series) =>
        catalog.Describe(metric, new MetricMetadata(series.Type, Text(Cut(batch.Symbol(series.Unit))), Text(Cut(batch.Symbol(series.Help)))));

    /// <summary>The first bytes of a text for people, whole characters.</summary>
    internal static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length <= HelpBytesMax)
        {
            return utf8;
        }

        var end = HelpBytesMax;
        while ((utf8[end] & 0xc0) == 0x80)
        {
            end--; // inside a character
        }

        return utf8[..end];
    }

    private static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8);

    private void ForgetRemoved()
    {
        known.Refresh();
        if (generation == head.RemovalGeneration)
        {
            return;
        }

        described.Clear();
        foreach (var shape in shapes.Values)
        {
            Forget(shape);
        }

        shapes.Clear();
        generation = head.RemovalGeneration;
    }

    private void AddToKey(DecodedBatch batch, ReadOnlySpan<uint> references)
    {
        // The count first, then each text with its length: no two label lists have the same bytes.
        AddToKey(references.Length);
        foreach (var reference in references)
        {
            var symbol = batch.Symbol(reference);
            AddToKey(symbol.Length);
            Reserve(symbol.Length);
            symbol.CopyTo(key.AsSpan(keyLength));
            keyLength += symbol.Length;
        }
    }

    private void AddToKey(string text)
    {
        Reserve(Encoding.UTF8.GetMaxByteCount(text.Length) + sizeof(int));
        var written = Encoding.UTF8.GetBytes(text, key.AsSpan(keyLength + sizeof(int)));
        AddToKey(written);
        keyLength += written;
    }

    private void AddToKey(int number)
    {
        Reserve(sizeof(int));
        BinaryPrimitives.WriteInt32LittleEndian(key.AsSpan(keyLength), number);
        keyLength += sizeof(int);
    }

    private void Reserve(int more)
    {
        if (key.Length - keyLength < more)
        {
            Array.Resize(ref key, Math.Max(key.Length * 2, keyLength + more));
        }
    }
}
