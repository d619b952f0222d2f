using System.Text;
using Lm.Tsdb.Head;

namespace Lm.Collector.Series;

/// <summary>From the bytes that senders name series with to the series of the head, and new series from their labels' bytes.</summary>
/// <remarks>
/// Used inside a batch of the head, or, where it says so, under <see cref="Head.EnterLookup"/>: the head's gate guards it. Caches both: of series that the head has removed, and of
/// labels, which go with their series, it forgets the numbers when <see cref="Head.RemovalGeneration"/> has changed, before they can stand for others.
/// </remarks>
internal sealed class KnownSeries(Head head)
{
    // Beyond twice the head's series and this many, senders name theirs in ever new ways: the table begins afresh.
    private const int SpareMax = 65_536;

    // 32 MiB. Labels are looked for when a series is new only.
    private const int LabelsMax = 1 << 20;

    private readonly KeyTable series = new();
    private readonly KeyTable labels = new();
    private int[] run = new int[64];
    private int runLength;
    private int generation;

    /// <summary>Forgets what is no longer there. First in each batch.</summary>
    public void Refresh()
    {
        if (generation != head.RemovalGeneration)
        {
            series.Keep((number, born) => head.BirthOf(number) == born);
            labels.Clear();
            generation = head.RemovalGeneration;
        }

        if (series.Count > (2 * head.SeriesCount) + SpareMax)
        {
            series.Clear();
        }

        if (labels.Count > LabelsMax)
        {
            labels.Clear();
        }
    }

    /// <summary>A series by what it is named with; below 0 when it is not known by that name.</summary>
    public int Find(in SeriesKey key) => series.Find(key);

    /// <summary>Whether there is a series that this names. Under <see cref="Head.EnterLookup"/>, at any time: it changes nothing.</summary>
    public bool IsHeld(in SeriesKey key) => series.Find(key) is >= 0 and var found && head.BirthOf(found) >= 0;

    /// <summary>Keeps a name.</summary>
    public void Remember(in SeriesKey key, int found) => series.Add(key, found, head.BirthOf(found));

    /// <summary>Begins a label set.</summary>
    public void Begin() => runLength = 0;

    /// <summary>Adds a label; those of one set come by the bytes of their names, each name once. One with an empty value is none.</summary>
    public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            return;
        }

        var key = SeriesKey.Of(name, value);
        var label = labels.Find(key);
        if (label < 0)
        {
            label = head.LabelOf(Encoding.UTF8.GetString(name), Encoding.UTF8.GetString(value));
            labels.Add(key, label, 0);
        }

        if (runLength == run.Length)
        {
            Array.Resize(ref run, run.Length * 2);
        }

        run[runLength++] = label;
    }

    /// <summary>The series with these labels, made when there is none.</summary>
    public int End() => head.FindOrAdd(run.AsSpan(0, runLength));
}
