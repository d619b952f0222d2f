using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Lm.Tsdb.Blocks;

namespace Lm.Tsdb;

/// <summary>Head and blocks as one: each series once, each of its samples once.</summary>
/// <remarks>
/// Of two samples for one time a block's wins over the head's, and among blocks the one whose first source was written first: the order of commits.
/// The head is asked before the blocks. A window's block comes into the set before the head lets the window go, so a sample is in one of the two
/// at least, whenever a query comes. Safe for concurrent use.
/// </remarks>
/// <param name="head">What is in memory; null: nothing is.</param>
/// <param name="blocks">What is in blocks.</param>
/// <param name="others">What is in blocks elsewhere; null: nothing is.</param>
public sealed class SeriesStore(ISeriesReader? head, BlockSet blocks, IBlockSource? others = null) : ISeriesReader
{
    private const int BlocksAtOnce = 8;

    /// <inheritdoc/>
    public ISeriesSelection Find(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken)
    {
        var parts = new List<ISeriesSelection>();
        try
        {
            var inHead = head?.Find(matchers, from, until, cancellationToken);
            if (inHead is not null)
            {
                parts.Add(inHead);
            }

            using var snapshot = Take(from, until);
            AddAll(snapshot.Blocks, block => block.Find(matchers, from, until, cancellationToken), parts);

            if (inHead is not null)
            {
                parts.RemoveAt(0); // asked first, and last in precedence
                parts.Add(inHead);
            }

            parts.RemoveAll(DisposeIfEmpty);
            return parts.Count switch
            {
                0 => new MergedSelection([], cancellationToken),
                1 => parts[0],
                _ => new MergedSelection(parts, cancellationToken),
            };
        }
        catch
        {
            parts.ForEach(part => part.Dispose());
            throw;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> LabelNames(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) =>
        Union(from, until, reader => reader.LabelNames(matchers, from, until, cancellationToken));

    /// <inheritdoc/>
    public IReadOnlyList<string> LabelValues(string name, IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) =>
        Union(from, until, reader => reader.LabelValues(name, matchers, from, until, cancellationToken));

    // Blocks that lie elsewhere are fetched as they are looked at: several at a time, or each would wait for the one before.
    private void AddAll(IReadOnlyList<BlockReader> of, Func<BlockReader, ISeriesSelection> find, List<ISeriesSelection> parts)
    {
        if (others is null || of.Count < 2)
        {
            parts.AddRange(of.Select(find));
            return;
        }

        var found = new ISeriesSelection?[of.Count];
        try
        {
            Parallel.For(0, of.Count, new ParallelOptions { MaxDegreeOfParallelism = BlocksAtOnce }, i => found[i] = find(of[i]));
        }
        catch (AggregateException e)
        {
            Array.ForEach(found, static each => each?.Dispose());
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }

        parts.AddRange(found!);
    }

    // In order of precedence, wherever they lie.
    private BlockSnapshot Take(long from, long until)
    {
        var local = blocks.Take(from, until);
        if (others is null)
        {
            return local;
        }

        try
        {
            var more = others.Take(from, until, [.. local.Blocks.Select(static block => block.Meta)]);
            return more.Count == 0 ? local : new BlockSnapshot(BlockSet.Ordered([.. local.Blocks, .. more]));
        }
        catch
        {
            local.Dispose();
            throw;
        }
    }

    private static bool DisposeIfEmpty(ISeriesSelection part)
    {
        if (part.Count == 0)
        {
            part.Dispose();
            return true;
        }

        return false;
    }

    private IReadOnlyList<string> Union(long from, long until, Func<ISeriesReader, IReadOnlyList<string>> ask)
    {
        var inHead = head is null ? [] : ask(head);
        using var snapshot = Take(from, until);
        if (snapshot.Blocks.Count == 0)
        {
            return inHead;
        }

        var all = new HashSet<string>(inHead, StringComparer.Ordinal);
        foreach (var block in snapshot.Blocks)
        {
            all.UnionWith(ask(block));
        }

        return [.. all.Order(StringComparer.Ordinal)];
    }

    /// <summary>Several selections as one. The places of a series in the parts are a chain: entry → next entry.</summary>
    private sealed class MergedSelection : ISeriesSelection
    {
        private readonly IReadOnlyList<ISeriesSelection> parts; // in order of precedence
        private readonly List<LabelSet> labels;
        private readonly List<int> firstOf;
        private readonly List<(int Part, int Index, int Next)> places;
        private readonly SampleMerge merge = new();

        public MergedSelection(IReadOnlyList<ISeriesSelection> parts, CancellationToken cancellationToken)
        {
            this.parts = parts;
            (labels, firstOf, places) = ([], [], []);
            var known = new Dictionary<LabelSet, (int Series, int Last)>(parts.Count == 0 ? 0 : parts.Max(part => part.Count));
            for (var part = 0; part < parts.Count; part++)
            {
                for (var index = 0; index < parts[part].Count; index++)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    Add(known, parts[part].Labels(index), part, index);
                }
            }
        }

        private MergedSelection(MergedSelection same, IReadOnlyList<ISeriesSelection> parts)
        {
            this.parts = parts;
            (labels, firstOf, places) = (same.labels, same.firstOf, same.places);
        }

        public int Count => labels.Count;

        public LabelSet Labels(int index) => labels[index];

        public void Read(int index, long from, long until, SampleBuffer into)
        {
            var start = into.Count;
            for (var at = firstOf[index]; at >= 0;)
            {
                var (part, place, next) = places[at];
                var second = into.Count;
                parts[part].Read(place, from, until, into);
                merge.Merge(into, start, second);
                at = next;
            }
        }

        public ISeriesSelection? Another()
        {
            var others = new List<ISeriesSelection>(parts.Count);
            foreach (var part in parts)
            {
                if (part.Another() is not { } other)
                {
                    others.ForEach(static each => each.Dispose());
                    return null;
                }

                others.Add(other);
            }

            return new MergedSelection(this, others);
        }

        public void Dispose()
        {
            foreach (var part in parts)
            {
                part.Dispose();
            }
        }

        private void Add(Dictionary<LabelSet, (int Series, int Last)> known, LabelSet set, int part, int index)
        {
            ref var found = ref CollectionsMarshal.GetValueRefOrAddDefault(known, set, out var isKnown);
            var place = places.Count;
            places.Add((part, index, -1));
            if (isKnown)
            {
                CollectionsMarshal.AsSpan(places)[found.Last].Next = place;
                found.Last = place;
            }
            else
            {
                found = (labels.Count, place);
                labels.Add(set);
                firstOf.Add(place);
            }
        }
    }
}
