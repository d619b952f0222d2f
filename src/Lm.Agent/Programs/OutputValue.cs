using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Lm.Agent.Exposition;
using Lm.Agent.Settings;

namespace Lm.Agent.Programs;

/// <summary>Cuts a number out of a command's output.</summary>
internal static class OutputValue
{
    private const int JsonDepthMax = 64;

    /// <summary>Cuts one.</summary>
    /// <param name="text">The output as text.</param>
    /// <param name="bytes">The output as it is.</param>
    /// <param name="cut">Where the value stands.</param>
    /// <param name="value">The value.</param>
    /// <returns>False when there is none there.</returns>
    public static bool TryCut(string text, ReadOnlyMemory<byte> bytes, ValueCut cut, out double value)
    {
        value = 0;
        switch (cut)
        {
            case ValueCut.ByPattern(var pattern, var group):
                var match = pattern.Match(text);
                return match.Success && match.Groups[group].Success && TryParse(match.Groups[group].Value, out value);
            case ValueCut.ByCell cell:
                return TryFindCell(text, cell, out var found) && TryParse(found, out value);
            case ValueCut.ByJson(var steps):
                return TryFindInJson(bytes.Span, steps, out value);
            default:
                return false;
        }
    }

    /// <summary>Reads the number that a text begins with: <c>12.5%</c> is 12.5, <c>-3e2</c> is -300, <c>34C</c> is 34.</summary>
    public static bool TryParse(string text, out double value)
    {
        var bytes = Encoding.UTF8.GetBytes(text.Trim());
        var unsigned = bytes is [(byte)'+', ..] ? bytes.AsSpan(1) : bytes;
        if (unsigned is [>= (byte)'0' and <= (byte)'9' or (byte)'-' or (byte)'.', ..] && Utf8Parser.TryParse(unsigned, out value, out _))
        {
            return double.IsFinite(value);
        }

        return ExpositionLine.TryParseValue(bytes, out value);
    }

    private static bool TryFindCell(string text, ValueCut.ByCell cell, out string found)
    {
        found = "";
        var rows = text.TrimEnd('\r', '\n').Split(cell.RowDelimiter);
        var row = cell.RowPattern is { } pattern ? Array.FindIndex(rows, each => pattern.IsMatch(each)) : cell.Row > 0 ? cell.Row - 1 : rows.Length + cell.Row;
        if (row < 0 || row >= rows.Length)
        {
            return false;
        }

        var columns = SplitColumns(rows[row].Trim(), cell.ColumnDelimiter);
        var column = cell.Column > 0 ? cell.Column - 1 : columns.Count + cell.Column;
        if (column < 0 || column >= columns.Count)
        {
            return false;
        }

        found = columns[column];
        return true;
    }

    private static List<string> SplitColumns(string row, Regex delimiter)
    {
        var columns = new List<string>();
        var from = 0;
        foreach (var match in delimiter.EnumerateMatches(row))
        {
            if (match.Length == 0)
            {
                continue; // nothing stands between two cells
            }

            columns.Add(row[from..match.Index]);
            from = match.Index + match.Length;
        }

        columns.Add(row[from..]);
        return columns;
    }

    private static bool TryFindInJson(ReadOnlySpan<byte> text, IReadOnlyList<JsonStep> steps, out double value)
    {
        value = 0;
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = JsonDepthMax });
        try
        {
            if (!reader.Read())
            {
                return false;
            }

            foreach (var step in steps)
            {
                if (!(step.Key is { } key ? TryEnterMember(ref reader, key) : TryEnterItem(ref reader, step.Index)))
                {
                    return false;
                }
            }

            return TryReadNumber(ref reader, out value);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return false; // not JSON, or cut; or a member's name has half of a surrogate pair, which no text has
        }
    }

    private static bool TryReadNumber(ref Utf8JsonReader reader, out double value)
    {
        value = 0;
        switch (reader.TokenType)
        {
            case JsonTokenType.Number:
                return reader.TryGetDouble(out value) && double.IsFinite(value);
            case JsonTokenType.True:
                value = 1;
                return true;
            case JsonTokenType.False:
                return true;
            case JsonTokenType.String:
                // As it stands: an escape is no part of a number, and what is not UTF-8 would throw.
                return TryParse(Encoding.UTF8.GetString(reader.ValueSpan), out value);
            default:
                return false;
        }
    }

    private static bool TryEnterMember(ref Utf8JsonReader reader, string key)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isIt = reader.ValueTextEquals(key);
            reader.Read();
            if (isIt)
            {
                return true;
            }

            reader.Skip();
        }

        return false;
    }

    private static bool TryEnterItem(ref Utf8JsonReader reader, int index)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return false;
        }

        for (var at = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; at++)
        {
            if (at == index)
            {
                return true;
            }

            reader.Skip();
        }

        return false;
    }
}
