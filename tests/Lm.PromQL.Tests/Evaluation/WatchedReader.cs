using Lm.Tsdb;

namespace Lm.PromQL.Tests.Evaluation;

/// <summary>A reader that sees to it that the evaluator keeps the contract, and can be told to do something at each read.</summary>
internal sealed class WatchedReader(ISeriesReader inner) : ISeriesReader
{
    private int reads;
    private int selections;
    private int open;

    /// <summary>How often series were read.</summary>
    public int Reads => reads;

    /// <summary>How many selections were made, those for further threads included.</summary>
    public int Selections => selections;

    /// <summary>Selections not yet disposed.</summary>
    public int Open => open;

    public Action BeforeRead { get; set; } = () => { };

    public ISeriesSelection Find(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken)
    {
        return new Selection(this, inner.Find(matchers, from, until, cancellationToken), from, until);
    }

    public IReadOnlyList<string> LabelNames(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) =>
        inner.LabelNames(matchers, from, until, cancellationToken);

    public IReadOnlyList<string> LabelValues(string name, IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) =>
        inner.LabelValues(name, matchers, from, until, cancellationToken);

    private sealed class Selection : ISeriesSelection
    {
        private readonly WatchedReader owner;
        private readonly ISeriesSelection found;
        private readonly long searchedFrom;
        private readonly long searchedUntil;
        private readonly Selection? first;
        private int others; // not yet disposed

        public Selection(WatchedReader owner, ISeriesSelection found, long searchedFrom, long searchedUntil, Selection? first = null)
        {
            (this.owner, this.found, this.searchedFrom, this.searchedUntil, this.first) = (owner, found, searchedFrom, searchedUntil, first);
            Interlocked.Increment(ref owner.open);
            Interlocked.Increment(ref owner.selections);
        }

        public int Count => found.Count;

        public LabelSet Labels(int index) => found.Labels(index);

        public void Read(int index, long from, long until, SampleBuffer into)
        {
            Assert.True(from >= searchedFrom && until <= searchedUntil, $"reads {from}..{until}, but searched {searchedFrom}..{searchedUntil}");
            Interlocked.Increment(ref owner.reads);
            owner.BeforeRead();
            found.Read(index, from, until, into);
        }

        public ISeriesSelection? Another()
        {
            if (found.Another() is not { } other)
            {
                return null;
            }

            Interlocked.Increment(ref others);
            return new Selection(owner, other, searchedFrom, searchedUntil, this);
        }

        public void Dispose()
        {
            Assert.Equal(0, others); // those go first
            if (first is not null)
            {
                Interlocked.Decrement(ref first.others);
            }

            Interlocked.Decrement(ref owner.open);
            found.Dispose();
        }
    }
}
