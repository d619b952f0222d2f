using System.Buffers.Binary;
using Lm.Tsdb.Blocks;
using Lm.Tsdb.Chunks;
using Lm.Tsdb.Index;

namespace Lm.Tsdb.Head;

/// <summary>The content of a range that takes no more samples, for a block. Used by one thread at a time; any thread.</summary>
public sealed class FrozenRange
{
    private readonly Head head;
    private readonly long epoch;
    private readonly SeriesView view = new();
    private readonly WindowMerge merge = new();
    private readonly SampleBuffer samples = new();
    private readonly SampleBuffer left = new();
    private readonly SampleBuffer present = new();
    private readonly byte[] sealing = new byte[ChunkRecord.SizeMax];
    private readonly HashSet<HeadWindow> damaged = [];
    private readonly IReadOnlyList<BlockCoverage> coverage;
    private long written;
    private bool isReleased;

    internal FrozenRange(Head head, HeadRange range, HeadWindow[] windows, IReadOnlyList<BlockCoverage> coverage, long epoch)
    {
        (this.head, Range, Windows, this.coverage, this.epoch) = (head, range, windows, coverage, epoch);
        Samples = windows.Sum(static window => window.Samples);
    }

    /// <summary>Which range.</summary>
    public HeadRange Range { get; }

    /// <summary>How many samples at most: some may be in blocks already.</summary>
    public long Samples { get; }

    /// <summary>Up to which record of the log a block with all of it, and the blocks before, hold each window (K13); empty when that cannot be said, as when some of it
    /// could not be read.</summary>
    public IReadOnlyList<BlockCoverage> Coverage => damaged.Count == 0 ? coverage : [];

    /// <summary>The windows, by start.</summary>
    internal HeadWindow[] Windows { get; }

    /// <summary>Those of which the last writing could not read all.</summary>
    internal IReadOnlyCollection<HeadWindow> Damaged => damaged;

    /// <summary>Writes each series with its chunks. Most are copied as they are; those with late samples are encoded anew, in chunks of 120.</summary>
    /// <param name="block">Takes them; the caller commits it when samples were written, and then calls <see cref="Head.Drop"/>.</param>
    /// <param name="existing">What blocks hold of the range. Samples for times that it has are left out (V20, K18).</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <returns>What was written; with no samples no block is needed.</returns>
    public FrozenContent WriteTo(BlockWriter block, ExistingSamples existing, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(block);
        ArgumentNullException.ThrowIfNull(existing);
        (written, view.Unreadable, view.Damage) = (0, 0, "");
        damaged.Clear();
        var series = SortedSeries();
        for (var i = 0; i < series.Length; i++)
        {
            if ((i & 0xff) == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            var labels = head.Table.LabelSetOf(series[i]); // each once: they would push out those of queries
            present.Clear();
            existing.Read(labels, Range.From, Range.Until, present);
            block.BeginSeries(labels);
            WriteSeries(block, series[i]);
        }

        return new FrozenContent(written, view.Unreadable, view.Damage);
    }

    /// <summary>Lets go of the windows.</summary>
    internal void Release()
    {
        if (!isReleased)
        {
            isReleased = true;
            head.Leave(epoch, Windows, view.Unreadable);
        }
    }

    private void WriteSeries(BlockWriter block, int series)
    {
        for (var first = 0; first < Windows.Length;)
        {
            var next = WindowMerge.EndOfGroup(Windows, first);
            var window = Windows[first];
            var unreadable = view.Unreadable;
            samples.Clear();
            if (next - first > 1)
            {
                merge.Read(head, view, Windows.AsSpan(first, next - first), series, Range.From, Range.Until, samples);
            }
            else
            {
                head.CopyTo(view, window, series, window.Start, window.End - 1);
                if (present.Count == 0 && view.IsChunksOnly)
                {
                    WriteChunks(block);
                }
                else
                {
                    view.Read(window.Start, window.End - 1, samples);
                }
            }

            WriteSamples(block);
            NoteDamage(unreadable, Windows.AsSpan(first, next - first));
            first = next;
        }
    }

    private void WriteChunks(BlockWriter block)
    {
        for (var i = 0; i < view.ChunkCount; i++)
        {
            var bytes = view.Chunk(i, out var count, out var lastTime);
            var chunk = sealing.AsSpan(0, bytes.Length);
            bytes.CopyTo(chunk);
            BinaryPrimitives.WriteUInt16BigEndian(chunk, (ushort)count); // that of an open chunk is not written yet
            block.AddChunk(XorEncoder.FirstTimeOf(chunk), lastTime, chunk);
            written += count;
        }
    }

    private void WriteSamples(BlockWriter block)
    {
        var chosen = samples;
        if (present.Count > 0)
        {
            left.Clear();
            for (var i = 0; i < samples.Count; i++)
            {
                if (present.Times.BinarySearch(samples.Times[i]) < 0)
                {
                    left.Add(samples.Times[i], samples.Values[i]);
                }
            }

            chosen = left;
        }

        block.AddSamples(chosen.Times, chosen.Values);
        written += chosen.Count;
    }

    // By labels. Each label gets a rank, so that a million series are compared by numbers.
    private int[] SortedSeries()
    {
        var table = head.Table;
        var series = AllSeries();
        var used = new HashSet<int>();
        foreach (var each in series)
        {
            foreach (var label in table.LabelsOf(each))
            {
                used.Add(label);
            }
        }

        int[] labels = [.. used];
        Array.Sort(labels, (left, right) => Compare(table.Labels[left], table.Labels[right]));
        var ranks = new int[labels.Length == 0 ? 0 : used.Max() + 1];
        for (var i = 0; i < labels.Length; i++)
        {
            ranks[labels[i]] = i;
        }

        Array.Sort(series, (left, right) => Compare(table.LabelsOf(left), table.LabelsOf(right), ranks));
        return series;
    }

    private int[] AllSeries()
    {
        var lists = new List<SeriesIds.Snapshot>();
        for (var i = 0; i < Windows.Length; i++)
        {
            var unreadable = view.Unreadable;
            var each = head.SeriesOf(Windows[i], view);
            NoteDamage(unreadable, Windows.AsSpan(i, 1));
            lists.Add(new SeriesIds.Snapshot(each, each.Length, isUnordered: false));
        }

        return lists.Count == 0 ? [] : SeriesIds.Unite(lists);
    }

    private void NoteDamage(long unreadableBefore, ReadOnlySpan<HeadWindow> windows)
    {
        if (view.Unreadable != unreadableBefore)
        {
            damaged.UnionWith(windows.ToArray());
        }
    }

    private static int Compare(Label left, Label right)
    {
        var order = Utf8Order.Compare(left.Name, right.Name);
        return order != 0 ? order : Utf8Order.Compare(left.Value, right.Value);
    }

    private static int Compare(ReadOnlySpan<int> left, ReadOnlySpan<int> right, int[] ranks)
    {
        for (var i = 0; i < left.Length && i < right.Length; i++)
        {
            if (left[i] != right[i])
            {
                return ranks[left[i]] - ranks[right[i]];
            }
        }

        return left.Length - right.Length;
    }
}

/// <summary>What a frozen range gave to a block.</summary>
/// <param name="Samples">Samples written.</param>
/// <param name="ChunksUnreadable">Chunks, and parts of windows' lists of series, left out because the head's files are damaged or cannot be read.</param>
/// <param name="Damage">Where the last of those lies; empty when there is none.</param>
public readonly record struct FrozenContent(long Samples, long ChunksUnreadable, string Damage);
