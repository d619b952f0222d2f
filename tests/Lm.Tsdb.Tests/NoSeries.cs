namespace Lm.Tsdb.Tests;

/// <summary>A head without a sample.</summary>
internal sealed class NoSeries : ISeriesReader, ISeriesSelection
{
    public static readonly NoSeries Instance = new();

    public int Count => 0;

    public ISeriesSelection Find(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) => this;

    public IReadOnlyList<string> LabelNames(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) => [];

    public IReadOnlyList<string> LabelValues(string name, IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) => [];

    public LabelSet Labels(int index) => throw new ArgumentOutOfRangeException(nameof(index));

    public void Read(int index, long from, long until, SampleBuffer into) => throw new ArgumentOutOfRangeException(nameof(index));

    public void Dispose()
    {
    }
}
