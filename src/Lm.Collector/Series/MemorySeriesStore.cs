using System.Runtime.InteropServices;
using Lm.Platform;
using Lm.Tsdb;
using Lm.Tsdb.Chunks;

namespace Lm.Collector.Series;

/// <summary>All series in memory.</summary>
/// <remarks>
/// Invariants: one writer (<see cref="SeriesFeed"/>) holds the gate for a batch, so a batch's samples of one series appear together;
/// readers match labels without it, on arrays that are only ever appended to or replaced, and hold it for a slice of series at a time to
/// copy samples out. A series that lost all its samples is removed, so what agents once sent costs nothing for ever.
/// </remarks>
internal sealed class MemorySeriesStore(SeriesStoreLimits limits, ILogger<MemorySeriesStore> logger) : ISeriesStore
{
    // Series read under one hold of the gate: some 50 µs, about what one batch takes to write.
    private const int SliceSeries = 256;

    // And samples: to read 16 Ki of them takes about 150 µs. A series with more is still read in one hold: a month at 15 s takes 2 ms.
    private const int SliceSamples = 16_384;

    private readonly Lock gate = new(); // guards everything below, and the samples of every series
    private readonly Dictionary<LabelSet, MemorySeries> byLabels = [];
    private readonly Dictionary<string, SeriesList> byMetric = new(StringComparer.Ordinal);
    private readonly Dictionary<string, MetricMetadata> metadata = new(StringComparer.Ordinal);
    private readonly HashSet<PendingRows> pending = []; // all that have claims
    private SeriesList all = new();
    private readonly long[] timesRead = new long[MemorySeries.ChunkSamplesMax];
    private readonly double[] valuesRead = new double[MemorySeries.ChunkSamplesMax];
    private long samples;
    private long sampleBytes;
    private long added;
    private long repeated;
    private long conflicting;
    private long samplesEvicted;
    private long seriesEvicted;

    /// <summary>Changes whenever series are removed: who keeps references to series starts afresh. Read it inside <see cref="EnterWrite"/>.</summary>
    public int RemovalGeneration { get; private set; }

    /// <summary>Enters the gate as the writer.</summary>
    public Lock.Scope EnterWrite() => gate.EnterScope();

    /// <summary>The series with these labels, made when there is none. Inside <see cref="EnterWrite"/> only.</summary>
    public MemorySeries FindOrAdd(LabelSet labels)
    {
        if (byLabels.TryGetValue(labels, out var series))
        {
            return series;
        }

        if (byLabels.Count >= limits.SeriesMax)
        {
            EvictSeries();
        }

        series = new MemorySeries(labels);
        byLabels.Add(labels, series);
        all.Add(series);
        ref var list = ref CollectionsMarshal.GetValueRefOrAddDefault(byMetric, labels.MetricName, out _);
        list ??= new SeriesList();
        list.Add(series);
        return series;
    }

    /// <summary>Takes one sample. Inside <see cref="EnterWrite"/> only; <see cref="EnforceLimits"/> follows the last of a batch.</summary>
    public void Append(MemorySeries series, long time, double value)
    {
        if (series.Pending is { } rows)
        {
            Flush(rows);
            rows.NoteTime(time);
        }

        sampleBytes -= series.SizeBytes;
        var outcome = series.Append(time, value);
        sampleBytes += series.SizeBytes;
        switch (outcome)
        {
            case AppendOutcome.Added:
                added++;
                samples++;
                break;
            case AppendOutcome.Repeated:
                repeated++;
                break;
            default:
                conflicting++;
                break;
        }
    }

    /// <summary>Lets series take their samples in rows from now on. Inside <see cref="EnterWrite"/> only.</summary>
    /// <returns>Null when they cannot: one of them is among them twice or belongs to other rows already.</returns>
    public PendingRows? TryClaim(ReadOnlySpan<MemorySeries?> series)
    {
        var rows = PendingRows.TryClaim(series);
        if (rows is not null)
        {
            pending.Add(rows);
            sampleBytes += rows.SizeBytes;
        }

        return rows;
    }

    /// <summary>Takes the row that stands in <see cref="PendingRows.Next"/>. Inside <see cref="EnterWrite"/> only.</summary>
    public void AppendRow(PendingRows rows, long time)
    {
        added += rows.Width;
        samples += rows.Width;
        if (rows.Add(time))
        {
            Flush(rows);
        }
    }

    /// <summary>Ends <see cref="TryClaim"/>. Inside <see cref="EnterWrite"/> only.</summary>
    public void Release(PendingRows rows)
    {
        if (pending.Remove(rows))
        {
            Flush(rows);
            rows.Release();
            sampleBytes -= rows.SizeBytes;
        }
    }

    /// <summary>Forgets the oldest samples of all series, whole chunks, when they take too much memory. Inside <see cref="EnterWrite"/> only.</summary>
    public void EnforceLimits()
    {
        if (sampleBytes <= limits.SampleBytesMax)
        {
            return;
        }

        FlushAll();

        // A tenth at a time: finding the cut costs as much for one sample as for a million.
        var cutoff = CutoffFor(sampleBytes - limits.SampleBytesMax + (limits.SampleBytesMax / 10));
        long dropped = 0;
        foreach (var series in all.Snapshot().Span)
        {
            sampleBytes -= series.SizeBytes;
            dropped += series.DropOlderThan(cutoff);
            sampleBytes += series.SizeBytes;
        }

        samples -= dropped;
        samplesEvicted += dropped;
        SeriesLog.SamplesEvicted(logger, dropped, limits.SampleBytesMax, DateTimeOffset.FromUnixTimeMilliseconds(cutoff));
        RemoveWhere(static series => series.Count == 0);
    }

    /// <summary>Keeps what a batch says about a metric. Inside <see cref="EnterWrite"/> only.</summary>
    public void Describe(string metric, MetricMetadata description)
    {
        if (metadata.Count < limits.MetricsMax || metadata.ContainsKey(metric))
        {
            metadata[metric] = description;
        }
    }

    /// <summary>Whether something is known about a metric. Inside <see cref="EnterWrite"/> only.</summary>
    public bool IsDescribed(string metric) => metadata.ContainsKey(metric);

    /// <summary>What is known about a metric; null when nothing is.</summary>
    public MetricMetadata? MetadataOf(string metric)
    {
        lock (gate)
        {
            return metadata.TryGetValue(metric, out var found) ? found : null;
        }
    }

    /// <summary>What is known about all metrics, by name, in no particular order.</summary>
    public IReadOnlyList<KeyValuePair<string, MetricMetadata>> AllMetadata()
    {
        lock (gate)
        {
            return [.. metadata];
        }
    }

    /// <inheritdoc/>
    public SeriesSelection Select(SeriesRange range, CancellationToken cancellationToken)
    {
        var selection = new SeriesSelection();
        var slice = new List<MemorySeries>(SliceSeries);
        var candidates = Candidates(range.Matchers);
        for (var i = 0; i < candidates.Length; i++)
        {
            // Each time: an expression can take milliseconds for one value.
            cancellationToken.ThrowIfCancellationRequested();
            var series = candidates.Span[i];
            if (!Matches(series.Labels, range.Matchers))
            {
                continue;
            }

            slice.Add(series);
            if (slice.Count == SliceSeries)
            {
                Copy(slice, range, selection, cancellationToken);
            }
        }

        Copy(slice, range, selection, cancellationToken);
        return selection;
    }

    /// <inheritdoc/>
    public SeriesStoreStatistics Statistics()
    {
        lock (gate)
        {
            return new SeriesStoreStatistics
            {
                Series = byLabels.Count,
                Samples = samples,
                SampleBytes = sampleBytes,
                Metrics = metadata.Count,
                SamplesAdded = added,
                SamplesRepeated = repeated,
                SamplesConflicting = conflicting,
                SamplesEvicted = samplesEvicted,
                SeriesEvicted = seriesEvicted,
                Oldest = samples == 0 ? null : new UnixMillis(OldestTime()),
            };
        }
    }

    private static bool Matches(LabelSet labels, IReadOnlyList<LabelMatcher> matchers)
    {
        for (var i = 0; i < matchers.Count; i++)
        {
            if (!matchers[i].Matches(labels.ValueOf(matchers[i].Name)))
            {
                return false;
            }
        }

        return true;
    }

    private ReadOnlyMemory<MemorySeries> Candidates(IReadOnlyList<LabelMatcher> matchers)
    {
        lock (gate)
        {
            foreach (var matcher in matchers)
            {
                if (matcher.Kind == MatchKind.Equal && matcher.Name == LabelSet.MetricNameLabel)
                {
                    return byMetric.TryGetValue(matcher.Value, out var list) ? list.Snapshot() : default;
                }
            }

            return all.Snapshot();
        }
    }

    private void Copy(List<MemorySeries> slice, SeriesRange range, SeriesSelection selection, CancellationToken cancellationToken)
    {
        var next = 0;
        while (next < slice.Count)
        {
            cancellationToken.ThrowIfCancellationRequested();
            lock (gate)
            {
                for (var copied = 0; next < slice.Count && copied < SliceSamples; next++)
                {
                    copied += CopyOne(slice[next], range, selection);
                }
            }
        }

        slice.Clear();
    }

    private int CopyOne(MemorySeries series, SeriesRange range, SeriesSelection selection)
    {
        var chunks = series.Chunks;
        var first = FirstChunk(chunks, range);
        var read = 0;
        for (var i = first; i < chunks.Length && chunks[i].FirstTime <= range.Until.Value; i++)
        {
            chunks[i].Read(timesRead, valuesRead);
            read += chunks[i].Count;
            CopyWindow(series, chunks[i].Count, range, selection);
        }

        return read + CopyPending(series, range, selection);
    }

    private int CopyPending(MemorySeries series, SeriesRange range, SeriesSelection selection)
    {
        if (series.Pending is not { Count: > 0 } rows)
        {
            return 0;
        }

        rows.Read(series.PendingColumn, timesRead, valuesRead);
        CopyWindow(series, rows.Count, range, selection);
        return rows.Count;
    }

    // Of the samples that were read, those in the window.
    private void CopyWindow(MemorySeries series, int count, SeriesRange range, SeriesSelection selection)
    {
        var times = timesRead.AsSpan(0, count);
        var start = IndexAfter(times, range.After.Value);
        var end = IndexAfter(times, range.Until.Value);
        if (start < end)
        {
            selection.Add(series.Labels, times[start..end], valuesRead.AsSpan(start, end - start));
            selection.KeepNewest(range.NewestMax);
        }

        if (selection.SampleCount > range.SamplesMax)
        {
            throw new SampleLimitException(range.SamplesMax);
        }
    }

    // From the end: what is asked for is most often the newest sample, or the newest hours.
    private static int FirstChunk(ReadOnlySpan<XorChunk> chunks, SeriesRange range)
    {
        var first = chunks.Length;
        long inside = 0; // samples of chunks that end in the window and begin in it, too
        while (first > 0 && chunks[first - 1].LastTime > range.After.Value && inside < range.NewestMax)
        {
            first--;
            inside += chunks[first].LastTime <= range.Until.Value && chunks[first].FirstTime > range.After.Value ? chunks[first].Count : 0;
        }

        return first;
    }

    private static int IndexAfter(ReadOnlySpan<long> times, long time)
    {
        var index = times.BinarySearch(time);
        return index < 0 ? ~index : index + 1;
    }

    // The earliest time with chunks of at least `wanted` bytes before it, by halving: some forty counts over all chunks.
    private long CutoffFor(long wanted)
    {
        var low = OldestTime();
        var high = low;
        foreach (var series in all.Snapshot().Span)
        {
            high = Math.Max(high, series.NewestTime);
        }

        high++;
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (BytesBefore(middle) >= wanted)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }

    private long BytesBefore(long time)
    {
        long size = 0;
        foreach (var series in all.Snapshot().Span)
        {
            size += series.BytesBefore(time);
        }

        return size;
    }

    // The series whose newest sample is oldest go: those of processes and interfaces that are no more. A tenth at a time, as above.
    private void EvictSeries()
    {
        FlushAll();
        var newest = new long[byLabels.Count];
        var at = 0;
        foreach (var series in all.Snapshot().Span)
        {
            newest[at++] = series.NewestTime;
        }

        Array.Sort(newest);
        var surplus = byLabels.Count - limits.SeriesMax + Math.Max(1, limits.SeriesMax / 10);
        var last = newest[Math.Min(surplus, newest.Length) - 1];
        var left = surplus; // of those that ended at the same time, only as many as must go
        RemoveWhere(series => series.NewestTime <= last && left-- > 0);
        SeriesLog.SeriesEvicted(logger, surplus, limits.SeriesMax);
    }

    private void RemoveWhere(Predicate<MemorySeries> mustGo)
    {
        var kept = new SeriesList();
        var touched = new HashSet<string>(StringComparer.Ordinal);
        foreach (var series in all.Snapshot().Span)
        {
            if (!mustGo(series))
            {
                kept.Add(series);
                continue;
            }

            series.IsRemoved = true;
            byLabels.Remove(series.Labels);
            touched.Add(series.Labels.MetricName);
            samples -= series.Count;
            sampleBytes -= series.SizeBytes;
            samplesEvicted += series.Count;
            seriesEvicted++;
        }

        if (touched.Count == 0)
        {
            return;
        }

        all = kept;
        RemovalGeneration++;
        foreach (var metric in touched)
        {
            var rest = byMetric[metric].Where(static series => !series.IsRemoved);
            if (rest.Count > 0)
            {
                byMetric[metric] = rest;
                continue;
            }

            byMetric.Remove(metric);
            metadata.Remove(metric);
        }
    }

    private void Flush(PendingRows rows) => sampleBytes += rows.Flush();

    private void FlushAll()
    {
        foreach (var rows in pending)
        {
            Flush(rows);
        }
    }

    private long OldestTime()
    {
        var oldest = long.MaxValue;
        foreach (var series in all.Snapshot().Span)
        {
            oldest = Math.Min(oldest, series.OldestTime);
        }

        return oldest;
    }
}
