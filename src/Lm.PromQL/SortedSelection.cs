using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary>A selection whose series come sorted by labels.</summary>
internal sealed class SortedSelection : ISeriesSelection
{
    private readonly ISeriesSelection inner;
    private readonly LabelSet[] labels;
    private readonly int[] order;

    private SortedSelection(ISeriesSelection inner, LabelSet[] labels, int[] order) => (this.inner, this.labels, this.order) = (inner, labels, order);

    public int Count => order.Length;

    public static SortedSelection Of(ISeriesSelection inner)
    {
        var (labels, order) = (new LabelSet[inner.Count], new int[inner.Count]);
        for (var i = 0; i < order.Length; i++)
        {
            (labels[i], order[i]) = (inner.Labels(i), i);
        }

        Array.Sort(labels, order, Comparer<LabelSet>.Create(static (left, right) => left.CompareTo(right)));
        return new SortedSelection(inner, labels, order);
    }

    public LabelSet Labels(int index) => labels[index];

    public void Read(int index, long from, long until, SampleBuffer into) => inner.Read(order[index], from, until, into);

    public void ReadNewest(int index, long from, long until, SampleBuffer into) => inner.ReadNewest(order[index], from, until, into);

    public ISeriesSelection? Another() => inner.Another() is { } other ? new SortedSelection(other, labels, order) : null;

    public void Dispose() => inner.Dispose();
}
