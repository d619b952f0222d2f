using System.Collections.Frozen;

namespace Lm.PromQL;

/// <summary>The words that mean more than a name, in any case of letters.</summary>
internal static class Keywords
{
    private static readonly FrozenDictionary<string, (TokenKind Kind, AggregationOperator Aggregation)> Both = new Dictionary<string, (TokenKind, AggregationOperator)>
    {
        ["and"] = (TokenKind.And, default),
        ["or"] = (TokenKind.Or, default),
        ["unless"] = (TokenKind.Unless, default),
        ["atan2"] = (TokenKind.Atan2, default),
        ["sum"] = (TokenKind.Aggregation, AggregationOperator.Sum),
        ["avg"] = (TokenKind.Aggregation, AggregationOperator.Avg),
        ["count"] = (TokenKind.Aggregation, AggregationOperator.Count),
        ["min"] = (TokenKind.Aggregation, AggregationOperator.Min),
        ["max"] = (TokenKind.Aggregation, AggregationOperator.Max),
        ["group"] = (TokenKind.Aggregation, AggregationOperator.Group),
        ["stddev"] = (TokenKind.Aggregation, AggregationOperator.Stddev),
        ["stdvar"] = (TokenKind.Aggregation, AggregationOperator.Stdvar),
        ["topk"] = (TokenKind.Aggregation, AggregationOperator.Topk),
        ["bottomk"] = (TokenKind.Aggregation, AggregationOperator.Bottomk),
        ["count_values"] = (TokenKind.Aggregation, AggregationOperator.CountValues),
        ["quantile"] = (TokenKind.Aggregation, AggregationOperator.Quantile),
        ["offset"] = (TokenKind.Offset, default),
        ["by"] = (TokenKind.By, default),
        ["without"] = (TokenKind.Without, default),
        ["on"] = (TokenKind.On, default),
        ["ignoring"] = (TokenKind.Ignoring, default),
        ["group_left"] = (TokenKind.GroupLeft, default),
        ["group_right"] = (TokenKind.GroupRight, default),
        ["bool"] = (TokenKind.Bool, default),
        ["start"] = (TokenKind.StartWord, default),
        ["end"] = (TokenKind.EndWord, default),
        ["inf"] = (TokenKind.Number, default),
        ["nan"] = (TokenKind.Number, default),
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, TokenKind> OnlyV3 = new Dictionary<string, TokenKind>
    {
        ["limitk"] = TokenKind.ExperimentalAggregation,
        ["limit_ratio"] = TokenKind.ExperimentalAggregation,
        ["anchored"] = TokenKind.RangeModifier,
        ["smoothed"] = TokenKind.RangeModifier,
        ["fill"] = TokenKind.Fill,
        ["fill_left"] = TokenKind.Fill,
        ["fill_right"] = TokenKind.Fill,
        ["step"] = TokenKind.DurationWord,
        ["range"] = TokenKind.DurationWord,
        ["min_of"] = TokenKind.DurationWord,
        ["max_of"] = TokenKind.DurationWord,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, (TokenKind Kind, AggregationOperator Aggregation)>.AlternateLookup<ReadOnlySpan<char>> InBoth =
        Both.GetAlternateLookup<ReadOnlySpan<char>>();

    private static readonly FrozenDictionary<string, TokenKind>.AlternateLookup<ReadOnlySpan<char>> InV3 = OnlyV3.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>What a word is.</summary>
    /// <param name="word">The word.</param>
    /// <param name="semantics">Whose words count.</param>
    /// <param name="aggregation">Which aggregation, when it is one.</param>
    /// <returns><see cref="TokenKind.Identifier"/> when it is only a name.</returns>
    public static TokenKind Find(ReadOnlySpan<char> word, PromSemantics semantics, out AggregationOperator aggregation)
    {
        if (InBoth.TryGetValue(word, out var found))
        {
            aggregation = found.Aggregation;
            return found.Kind;
        }

        aggregation = default;
        return semantics == PromSemantics.V3 && InV3.TryGetValue(word, out var kind) ? kind : TokenKind.Identifier;
    }
}
