namespace Lm.Tsdb.Head;

/// <summary>The newest samples of the series that batches of one shape bring, a row for each batch, until there are enough to hand each series its samples in one
/// go (decision 0011).</summary>
public sealed class HeadRows
{
    private HeadRows(int width) => Width = width;

    /// <summary>How many series it has.</summary>
    public int Width { get; }

    /// <summary>The newest time that one of its series has: a row must be later.</summary>
    public long NewestTime => throw new NotImplementedException();

    /// <summary>Where the values of the next row go; <see cref="Head.TryAppendRow"/> follows.</summary>
    public Span<double> Next => throw new NotImplementedException();
}
