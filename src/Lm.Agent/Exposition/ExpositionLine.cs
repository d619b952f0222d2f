using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Lm.Protocol;

namespace Lm.Agent.Exposition;

/// <summary>One line of Prometheus' text form or OpenMetrics, taken apart. Its views live as long as the line's bytes.</summary>
/// <remarks>
/// Source: the exposition format 0.0.4 of Prometheus' documentation; the OpenMetrics 1.0 specification. Accepted beyond both: CRLF at a line's end.
/// Times of samples and exemplars are checked and not used. Names in quotes, which Prometheus 3 has, are refused.
/// </remarks>
internal readonly ref struct ExpositionLine
{
    private static readonly SearchValues<byte> NameBytes = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:"u8);
    private static readonly SearchValues<byte> Blanks = SearchValues.Create(" \t"u8);

    private ExpositionLine(ExpositionLineKind kind, ReadOnlySpan<byte> name, ReadOnlySpan<byte> labels, ReadOnlySpan<byte> text, double value, string fault)
    {
        Kind = kind;
        Name = name;
        Labels = labels;
        Text = text;
        Value = value;
        Fault = fault;
    }

    /// <summary>What the line is.</summary>
    public ExpositionLineKind Kind { get; }

    /// <summary>The metric's name; of a description the family's.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>What stands between the braces; <see cref="ExpositionLabels"/> reads it.</summary>
    public ReadOnlySpan<byte> Labels { get; }

    /// <summary>A sample's series as it is written, from the name to the closing brace; a description's text.</summary>
    public ReadOnlySpan<byte> Text { get; }

    /// <summary>A sample's value.</summary>
    public double Value { get; }

    /// <summary>What is wrong with a line that is malformed.</summary>
    public string Fault { get; }

    /// <summary>Takes a line apart.</summary>
    /// <param name="line">Its bytes without the line feed.</param>
    public static ExpositionLine Parse(ReadOnlySpan<byte> line)
    {
        line = line is [.., (byte)'\r'] ? line[..^1] : line;
        var rest = Skip(line);
        if (rest.IsEmpty)
        {
            return new ExpositionLine(ExpositionLineKind.Nothing, default, default, default, 0, "");
        }

        return rest[0] == (byte)'#' ? ParseComment(rest[1..]) : ParseSample(rest);
    }

    private static ExpositionLine ParseComment(ReadOnlySpan<byte> rest)
    {
        rest = Skip(rest);
        var keyword = TakeWord(ref rest);
        if (keyword.SequenceEqual("EOF"u8) && rest.IsEmpty)
        {
            return new ExpositionLine(ExpositionLineKind.End, default, default, default, 0, "");
        }

        var kind = keyword.SequenceEqual("HELP"u8) ? ExpositionLineKind.Help
            : keyword.SequenceEqual("TYPE"u8) ? ExpositionLineKind.Type
            : keyword.SequenceEqual("UNIT"u8) ? ExpositionLineKind.Unit
            : ExpositionLineKind.Nothing;
        if (kind == ExpositionLineKind.Nothing)
        {
            return new ExpositionLine(kind, default, default, default, 0, "");
        }

        var name = TakeWord(ref rest);
        return IsName(name)
            ? new ExpositionLine(kind, name, default, rest, 0, "")
            : Malformed("a description names no metric");
    }

    private static ExpositionLine ParseSample(ReadOnlySpan<byte> line)
    {
        var nameLength = line.IndexOfAnyExcept(NameBytes);
        nameLength = nameLength < 0 ? line.Length : nameLength;
        var name = line[..nameLength];
        if (!IsName(name))
        {
            return Malformed("it does not begin with a metric's name");
        }

        var labels = ReadOnlySpan<byte>.Empty;
        var rest = Skip(line[nameLength..]);
        var series = line[..nameLength];
        if (rest is [(byte)'{', ..])
        {
            var length = LengthOfLabels(rest[1..]);
            if (length < 0)
            {
                return Malformed("its labels have no closing brace");
            }

            labels = rest.Slice(1, length);
            series = line[..(line.Length - rest.Length + length + 2)];
            rest = rest[(length + 2)..];
        }
        else if (rest.Length == line.Length - nameLength)
        {
            return Malformed("there is no blank behind its name");
        }

        rest = Skip(rest);
        var number = TakeWord(ref rest);
        if (!TryParseValue(number, out var value))
        {
            return Malformed("its value is no number");
        }

        return IsTimeOrNothing(rest)
            ? new ExpositionLine(ExpositionLineKind.Sample, name, labels, series, value, "")
            : Malformed("what stands behind its value is no time");
    }

    /// <summary>Whether it is a metric's name.</summary>
    public static bool IsName(ReadOnlySpan<byte> name) =>
        !name.IsEmpty && name.Length <= Limits.MetricNameBytesMax && name[0] is not (>= (byte)'0' and <= (byte)'9') && name.IndexOfAnyExcept(NameBytes) < 0;

    /// <summary>Reads a value as Go's ParseFloat takes decimal ones: <c>1</c>, <c>-2.5e3</c>, <c>+Inf</c>, <c>NaN</c>.</summary>
    public static bool TryParseValue(ReadOnlySpan<byte> text, out double value)
    {
        var sign = text is [(byte)'-', ..] ? -1 : 1;
        var unsigned = text is [(byte)'+' or (byte)'-', ..] ? text[1..] : text;
        if (unsigned.IsEmpty)
        {
            value = 0;
            return false;
        }

        if (char.IsAsciiLetter((char)unsigned[0]))
        {
            var isInfinite = Ascii.EqualsIgnoreCase(unsigned, "inf"u8) || Ascii.EqualsIgnoreCase(unsigned, "infinity"u8);
            value = isInfinite ? sign * double.PositiveInfinity : double.NaN;
            return isInfinite || Ascii.EqualsIgnoreCase(unsigned, "nan"u8);
        }

        var isNumber = Utf8Parser.TryParse(unsigned, out value, out var used) && used == unsigned.Length && unsigned[0] is not ((byte)'+' or (byte)'-');
        value *= sign;
        return isNumber;
    }

    private static bool IsTimeOrNothing(ReadOnlySpan<byte> rest)
    {
        var time = TakeWord(ref rest);
        if (time.IsEmpty || time[0] == (byte)'#')
        {
            return true; // an exemplar may follow
        }

        return TryParseValue(time, out _) && (rest.IsEmpty || rest[0] == (byte)'#');
    }

    // Up to the brace that is in no quotes; -1 when there is none.
    private static int LengthOfLabels(ReadOnlySpan<byte> text)
    {
        var isQuoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case (byte)'\\' when isQuoted:
                    i++;
                    break;
                case (byte)'"':
                    isQuoted = !isQuoted;
                    break;
                case (byte)'}' when !isQuoted:
                    return i;
                default:
                    break;
            }
        }

        return -1;
    }

    private static ReadOnlySpan<byte> TakeWord(scoped ref ReadOnlySpan<byte> rest)
    {
        var length = rest.IndexOfAny(Blanks);
        length = length < 0 ? rest.Length : length;
        var word = rest[..length];
        rest = Skip(rest[length..]);
        return word;
    }

    private static ReadOnlySpan<byte> Skip(ReadOnlySpan<byte> text)
    {
        var at = text.IndexOfAnyExcept(Blanks);
        return at < 0 ? default : text[at..];
    }

    private static ExpositionLine Malformed(string fault) => new(ExpositionLineKind.Malformed, default, default, default, 0, fault);
}

/// <summary>What a line of an exposition is.</summary>
internal enum ExpositionLineKind
{
    /// <summary>Blank, or a comment.</summary>
    Nothing = 0,

    /// <summary>A sample.</summary>
    Sample,

    /// <summary>A family's help text.</summary>
    Help,

    /// <summary>A family's type.</summary>
    Type,

    /// <summary>A family's unit (OpenMetrics).</summary>
    Unit,

    /// <summary>The end (OpenMetrics).</summary>
    End,

    /// <summary>None of these.</summary>
    Malformed,
}
