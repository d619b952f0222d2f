using System.Text;

namespace Lm.Logs.Query.Pipeline;

/// <summary><c>| logfmt</c>: <c>key=value key="a value"</c> become labels.</summary>
/// <param name="stage">The stage.</param>
/// <param name="wanted">The labels that anyone asks for; null for all.</param>
internal sealed class LogfmtStep(LogfmtStage stage, IReadOnlySet<string>? wanted) : ILineStep
{
    private const string Error = "LogfmtParserErr";

    private readonly (string Label, byte[] Key)[] extractions = [.. stage.Extractions.Select(extraction => (extraction.Label, Encoding.UTF8.GetBytes(extraction.Path)))];
    private readonly bool isStrict = stage.IsStrict;
    private readonly bool keepsEmpty = stage.KeepsEmpty;
    private byte[] unescaped = new byte[1024];

    public bool Apply(ref ReadOnlySpan<byte> line, LineContext context)
    {
        foreach (var (label, _) in extractions)
        {
            context.Labels.TryExtractNothing(label); // one that is asked for is there, whether the line has it or not
        }

        var rest = line;
        while (true)
        {
            var start = rest.IndexOfAnyExceptInRange((byte)0, (byte)' ');
            if (start < 0)
            {
                return true;
            }

            rest = rest[start..];
            var fault = ReadPair(ref rest, out var key, out var value);
            if (fault is not null && isStrict)
            {
                context.Labels.SetError(Error, fault);
                return true;
            }

            if (!key.IsEmpty && (!value.IsEmpty || keepsEmpty || extractions.Length > 0) && !TryTake(context, key, value))
            {
                context.Labels.SetErrorIfNone(Error, $"the line has more than {LineLabels.ParsedMax} fields");
                return true;
            }
        }
    }

    private bool TryTake(LineContext context, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (extractions.Length == 0)
        {
            var name = context.Names.NameOf(key);
            return name.Length == 0 || (wanted is not null && !wanted.Contains(name)) || context.Labels.TryExtract(name, value, keepsEmpty);
        }

        foreach (var (label, path) in extractions)
        {
            if (key.SequenceEqual(path) && !context.Labels.TryExtract(label, value, keepsEmpty: true))
            {
                return false;
            }
        }

        return true;
    }

    // Gives what it can also when it tells a fault.
    private string? ReadPair(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        value = default;
        var end = rest.IndexOfAny((byte)'=', (byte)'"');
        var blank = rest.IndexOfAnyInRange((byte)0, (byte)' ');
        end = end < 0 ? rest.Length : end;
        if (blank >= 0 && blank < end)
        {
            key = rest[..blank]; // a key without a value
            rest = rest[blank..];
            return null;
        }

        key = rest[..end];
        if (end == rest.Length)
        {
            rest = default;
            return null;
        }

        if (rest[end] == '"' || key.IsEmpty)
        {
            key = default;
            rest = blank < 0 ? default : rest[blank..];
            return "a key is missing before =, or has a quote in it";
        }

        rest = rest[(end + 1)..];
        if (!rest.StartsWith("\""u8))
        {
            return ReadBare(ref rest, out value);
        }

        var fault = ReadQuoted(ref rest, out var isClosed, out value);
        key = isClosed ? key : default;
        return fault;
    }

    private static string? ReadBare(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> value)
    {
        var end = rest.IndexOfAnyInRange((byte)0, (byte)' ');
        end = end < 0 ? rest.Length : end;
        value = rest[..end];
        rest = rest[end..];
        return value.IndexOfAny((byte)'=', (byte)'"') < 0 ? null : "a value without quotes has = or a quote in it";
    }

    private string? ReadQuoted(ref ReadOnlySpan<byte> rest, out bool isClosed, out ReadOnlySpan<byte> value)
    {
        var at = 1;
        var hasEscapes = false;
        isClosed = true;
        while (true)
        {
            var next = rest[at..].IndexOfAny((byte)'"', (byte)'\\');
            if (next < 0)
            {
                isClosed = false;
                value = default;
                rest = default;
                return "a value has no closing quote";
            }

            at += next;
            if (rest[at] == '"')
            {
                break;
            }

            hasEscapes = true;
            at = Math.Min(at + 2, rest.Length);
        }

        value = rest[1..at];
        value = hasEscapes ? Unescape(value) : value;
        rest = rest[(at + 1)..];
        return rest.IsEmpty || rest[0] <= ' ' ? null : "a blank is missing behind a closing quote";
    }

    private ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> value)
    {
        if (unescaped.Length < value.Length)
        {
            unescaped = new byte[value.Length];
        }

        var length = 0;
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] != '\\' || i + 1 == value.Length)
            {
                unescaped[length++] = value[i];
                continue;
            }

            i++;
            if (value[i] == 'u' && TryCodePoint(value[(i + 1)..], out var rune, out var digits))
            {
                length += rune.EncodeToUtf8(unescaped.AsSpan(length));
                i += digits;
                continue;
            }

            var control = "ntrbf"u8.IndexOf(value[i]);
            unescaped[length++] = control >= 0 ? "\n\t\r\b\f"u8[control] : value[i];
        }

        return unescaped.AsSpan(0, length);
    }

    // Four digits, or eight as two surrogates: \ud83d\ude00.
    private static bool TryCodePoint(ReadOnlySpan<byte> text, out Rune rune, out int length)
    {
        rune = default;
        length = 4;
        if (!TryUnit(text, out var first))
        {
            return false;
        }

        if (Rune.TryCreate(first, out rune))
        {
            return true;
        }

        length = 10;
        return text.Length >= 10 && text[4] == '\\' && text[5] == 'u' && TryUnit(text[6..], out var second) && Rune.TryCreate(first, second, out rune);
    }

    private static bool TryUnit(ReadOnlySpan<byte> text, out char unit)
    {
        var found = text.Length >= 4 & System.Buffers.Text.Utf8Parser.TryParse(text[..Math.Min(4, text.Length)], out ushort number, out var read, 'x') && read == 4;
        unit = (char)number;
        return found;
    }
}
