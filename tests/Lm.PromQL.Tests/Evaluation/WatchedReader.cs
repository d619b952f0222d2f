using Lm.Tsdb;

namespace Lm.PromQL.Tests.Evaluation;

/// <summary>A reader that sees to it that the evaluator keeps the contract, and can be told to do something at each read.</summary>
internal sealed class WatchedReader(ISeriesReader inner) : ISeriesReader
{
    /// <summary>How often series were read.</summary>
    public int Reads { get; private set; }

    /// <summary>Selections not yet disposed.</summary>
    public int Open { get; private set; }

    public Action BeforeRead { get; set; } = () => { };

    public ISeriesSelection Find(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken)
    {
        Open++;
        return new Selection(this, inner.Find(matchers, from, until, cancellationToken), from, until);
    }

    public IReadOnlyList<string> LabelNames(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) =>
        inner.LabelNames(matchers, from, until, cancellationToken);

    public IReadOnlyList<string> LabelValues(string name, IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) =>
        inner.LabelValues(name, matchers, from, until, cancellationToken);

    private sealed class Selection(WatchedReader owner, ISeriesSelection found, long searchedFrom, long searchedUntil) : ISeriesSelection
    {
        public int Count => found.Count;

        public LabelSet Labels(int index) => found.Labels(index);

        public void Read(int index, long from, long until, SampleBuffer into)
        {
            Assert.True(from >= searchedFrom && until <= searchedUntil, $"reads {from}..{until}, but searched {searchedFrom}..{searchedUntil}");
            owner.Reads++;
            owner.BeforeRead();
            found.Read(index, from, until, into);
        }

        public void Dispose()
        {
            owner.Open--;
            found.Dispose();
        }
    }
}
