namespace Lm.Protocol.Decoding;

/// <summary>Checks the label references of one record, which lie at the end of <see cref="DecodedBatch.LabelReferences"/>.</summary>
internal static class LabelReader
{
    /// <summary>Checks that references come in pairs, lie within the symbols, name labels, and name each once.</summary>
    /// <param name="context">The batch.</param>
    /// <param name="references">All references; those of the record from <paramref name="start"/> on. Pairs without a value are taken out.</param>
    /// <param name="start">The record's first.</param>
    /// <param name="hasMetricName">Whether the record is a series, with a <c>__name__</c>; others must have none.</param>
    public static bool TryCheck(ref DecodeContext context, ref Growing<uint> references, int start, bool hasMetricName)
    {
        var own = references.Items[start..];
        if (own.Length % 2 != 0)
        {
            return context.Malformed($"{own.Length} references of labels; they are pairs of name and value");
        }

        var symbols = context.Batch.Symbols;
        symbols.BeginSet();
        var kept = 0;
        var found = false;
        for (var i = 0; i < own.Length; i += 2)
        {
            var name = own[i];
            var value = own[i + 1];
            if (name >= (uint)symbols.Count || value >= (uint)symbols.Count)
            {
                return context.Malformed($"label {i / 2} refers to symbol {Math.Max(name, value)}; the batch has {symbols.Count}");
            }

            if (!symbols.IsLabelName(context.Payload, name, out var isMetricName) || !symbols.AddToSet(name)
                || (isMetricName && !IsMetricNameAllowed(ref context, value, hasMetricName)))
            {
                return NameFault(ref context, name, value, hasMetricName);
            }

            found |= isMetricName;
            if (value != 0)
            {
                own[kept] = name;
                own[kept + 1] = value;
                kept += 2;
            }
        }

        references.CutTo(start + kept);
        return found == hasMetricName || context.Malformed("no label __name__; a series has exactly one");
    }

    private static bool IsMetricNameAllowed(ref DecodeContext context, uint value, bool hasMetricName) =>
        hasMetricName && context.Batch.Symbols.IsMetricName(context.Payload, value);

    private static bool NameFault(ref DecodeContext context, uint name, uint value, bool hasMetricName)
    {
        var symbols = context.Batch.Symbols;
        var quoted = Quote.Text(symbols.Bytes(context.Payload, name));
        if (!symbols.IsLabelName(context.Payload, name, out var isMetricName))
        {
            return context.Malformed($"label {quoted} is no label name; that is [a-zA-Z_][a-zA-Z0-9_]*, not beginning with __");
        }

        if (isMetricName && !hasMetricName)
        {
            return context.Malformed("label __name__; only a series has that one");
        }

        return isMetricName && !symbols.IsMetricName(context.Payload, value)
            ? context.Malformed($"label __name__ is {Quote.Text(symbols.Bytes(context.Payload, value))}, no metric name; "
                + "that is [a-zA-Z_:][a-zA-Z0-9_:]*")
            : context.Malformed($"label {quoted} appears twice");
    }
}
