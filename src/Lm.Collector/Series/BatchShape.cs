using Lm.Protocol;
using Lm.Tsdb.Head;

namespace Lm.Collector.Series;

/// <summary>What an agent's last batch looked like without its samples, and the series that each place in it led to. The next batch usually
/// looks the same, and comparing it takes a microsecond where looking up its series takes twenty.</summary>
internal sealed class BatchShape
{
    /// <summary>Stands for a series that was not looked up yet.</summary>
    public const int UnknownSeries = -1;

    // The base heartbeat has about 6 KB. Larger shapes are looked up series by series: comparing them is no longer the small part.
    private const int BytesMax = 64 << 10;

    private readonly byte[] symbols; // one after another
    private readonly int[] symbolEnds;
    private readonly uint[] commonLabels;
    private readonly uint[] labels; // of all series, one after another
    private readonly int[] labelEnds;
    private bool isComplete;

    private BatchShape(byte[] symbols, int[] symbolEnds, uint[] commonLabels, uint[] labels, int[] labelEnds)
    {
        (this.symbols, this.symbolEnds, this.commonLabels) = (symbols, symbolEnds, commonLabels);
        (this.labels, this.labelEnds) = (labels, labelEnds);
        Series = new int[labelEnds.Length];
        Array.Fill(Series, UnknownSeries);
    }

    /// <summary>The series at each place in the head; <see cref="UnknownSeries"/> where none was looked up yet.</summary>
    public int[] Series { get; }

    /// <summary>Whether the series at every place is known.</summary>
    public bool IsComplete => isComplete || (isComplete = !Series.AsSpan().Contains(UnknownSeries));

    /// <summary>Whether <see cref="Rows"/> were asked for: once, for what stood in the way then seldom goes.</summary>
    public bool HasAskedForRows { get; set; }

    /// <summary>Where the series' newest samples wait; null when they go to the series one by one.</summary>
    public HeadRows? Rows { get; set; }

    /// <summary>Memory that it takes, bytes; that of the rows is the head's.</summary>
    public int SizeBytes => symbols.Length + (sizeof(int) * (symbolEnds.Length + commonLabels.Length + labels.Length + labelEnds.Length))
        + (sizeof(int) * Series.Length);

    /// <summary>The shape of a batch; null when it is too large to be worth it.</summary>
    public static BatchShape? Of(DecodedBatch batch)
    {
        var symbolEnds = new int[batch.SymbolCount];
        var size = 0;
        for (var i = 0; i < symbolEnds.Length; i++)
        {
            size += batch.Symbol((uint)i).Length;
            symbolEnds[i] = size;
        }

        var labelEnds = new int[batch.Series.Length];
        var count = 0;
        for (var i = 0; i < labelEnds.Length; i++)
        {
            count += batch.Labels(batch.Series[i]).Length;
            labelEnds[i] = count;
        }

        if (size + ((long)count * sizeof(uint)) > BytesMax)
        {
            return null;
        }

        var shape = new BatchShape(new byte[size], symbolEnds, batch.CommonLabels.ToArray(), new uint[count], labelEnds);
        shape.CopyTexts(batch);
        return shape;
    }

    /// <summary>Whether a batch of the same agent has the same symbols and labels at the same places.</summary>
    public bool Matches(DecodedBatch batch)
    {
        if (batch.SymbolCount != symbolEnds.Length || batch.Series.Length != labelEnds.Length || !batch.CommonLabels.SequenceEqual(commonLabels))
        {
            return false;
        }

        var start = 0;
        for (var i = 0; i < symbolEnds.Length; i++)
        {
            if (!batch.Symbol((uint)i).SequenceEqual(symbols.AsSpan(start, symbolEnds[i] - start)))
            {
                return false;
            }

            start = symbolEnds[i];
        }

        start = 0;
        var series = batch.Series;
        for (var i = 0; i < labelEnds.Length; i++)
        {
            if (!batch.Labels(series[i]).SequenceEqual(labels.AsSpan(start, labelEnds[i] - start)))
            {
                return false;
            }

            start = labelEnds[i];
        }

        return true;
    }

    private void CopyTexts(DecodedBatch batch)
    {
        var start = 0;
        for (var i = 0; i < symbolEnds.Length; i++)
        {
            batch.Symbol((uint)i).CopyTo(symbols.AsSpan(start));
            start = symbolEnds[i];
        }

        start = 0;
        for (var i = 0; i < labelEnds.Length; i++)
        {
            batch.Labels(batch.Series[i]).CopyTo(labels.AsSpan(start));
            start = labelEnds[i];
        }
    }
}
