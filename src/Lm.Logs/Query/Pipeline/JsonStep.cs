using System.Text;
using System.Text.Json;

namespace Lm.Logs.Query.Pipeline;

/// <summary><c>| json</c>: the members of a JSON object become labels, those of objects in it with the names joined by <c>_</c>; arrays are left out.</summary>
/// <param name="wanted">The labels that anyone asks for; null for all.</param>
internal sealed class JsonStep(IReadOnlySet<string>? wanted) : ILineStep
{
    /// <summary>The error of lines that are no JSON object.</summary>
    public const string Error = "JSONParserErr";

    private const int DepthMax = 32;
    private readonly byte[] path = new byte[2048];
    private byte[] unescaped = new byte[1024];

    public bool Apply(ref ReadOnlySpan<byte> line, LineContext context)
    {
        var reader = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = DepthMax });
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                context.Labels.SetError(Error, "the line is no JSON object");
            }
            else if (!TryReadMembers(ref reader, context, 0))
            {
                context.Labels.SetErrorIfNone(Error, $"the object has more than {LineLabels.ParsedMax} fields");
            }
        }
        catch (JsonException exception)
        {
            context.Labels.SetError(Error, exception.Message);
        }

        return true;
    }

    private bool TryReadMembers(ref Utf8JsonReader reader, LineContext context, int prefix)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var length = AppendKey(ref reader, prefix);
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                if (!TryReadMembers(ref reader, context, length))
                {
                    return false;
                }
            }
            else if (reader.TokenType == JsonTokenType.StartArray)
            {
                reader.Skip();
            }
            else if (!TryTake(ref reader, context, length))
            {
                return false;
            }
        }

        return true;
    }

    // The whole name so far; a key that does not fit any more leads to a name nobody asks for: empty.
    private int AppendKey(ref Utf8JsonReader reader, int prefix)
    {
        var start = prefix == 0 ? 0 : prefix + 1;
        if (prefix < 0 || start + reader.ValueSpan.Length > path.Length)
        {
            return -1;
        }

        if (prefix > 0)
        {
            path[prefix] = (byte)'_';
        }

        return start + (reader.ValueIsEscaped ? JsonText.Unescape(reader.ValueSpan, path.AsSpan(start)) : reader.CopyString(path.AsSpan(start)));
    }

    private bool TryTake(ref Utf8JsonReader reader, LineContext context, int length)
    {
        var name = length < 0 ? "" : context.Names.NameOf(path.AsSpan(0, length));
        if (name.Length == 0 || (wanted is not null && !wanted.Contains(name)))
        {
            return true;
        }

        return context.Labels.TryExtract(name, JsonText.ValueOf(ref reader, ref unescaped));
    }
}

/// <summary>Values of JSON as labels have them.</summary>
internal static class JsonText
{
    /// <summary>A single value: a text without its quotes and escapes, a number or truth value as it stands, nothing for null.</summary>
    /// <param name="reader">Stands on it.</param>
    /// <param name="buffer">Room for escapes; grows.</param>
    /// <returns>Valid until the next call.</returns>
    public static ReadOnlySpan<byte> ValueOf(ref Utf8JsonReader reader, ref byte[] buffer)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return default;
        }

        if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName) || !reader.ValueIsEscaped)
        {
            return reader.ValueSpan;
        }

        if (buffer.Length < reader.ValueSpan.Length)
        {
            buffer = new byte[reader.ValueSpan.Length];
        }

        return buffer.AsSpan(0, Unescape(reader.ValueSpan, buffer));
    }

    /// <summary>A text or key without its escapes; half of a surrogate pair, which is no character, becomes U+FFFD.</summary>
    /// <param name="text">What stands between the quotes; valid JSON.</param>
    /// <param name="into">Room, as much as the text has.</param>
    /// <returns>How many bytes it became.</returns>
    public static int Unescape(ReadOnlySpan<byte> text, Span<byte> into)
    {
        var length = 0;
        while (!text.IsEmpty)
        {
            var escape = text.IndexOf((byte)'\\');
            var plain = escape < 0 ? text : text[..escape];
            plain.CopyTo(into[length..]);
            length += plain.Length;
            if (escape < 0)
            {
                break;
            }

            text = text[(escape + 1)..];
            if (text[0] != 'u')
            {
                var control = "bfnrt"u8.IndexOf(text[0]);
                into[length++] = control >= 0 ? "\b\f\n\r\t"u8[control] : text[0];
                text = text[1..];
                continue;
            }

            var unit = UnitAt(text);
            text = text[5..];
            if (char.IsHighSurrogate(unit) && text.StartsWith("\\u"u8) && char.IsLowSurrogate(UnitAt(text[1..])))
            {
                length += new Rune(unit, UnitAt(text[1..])).EncodeToUtf8(into[length..]);
                text = text[6..];
                continue;
            }

            length += (Rune.TryCreate(unit, out var rune) ? rune : Rune.ReplacementChar).EncodeToUtf8(into[length..]);
        }

        return length;
    }

    // At a u, behind which valid JSON has four digits.
    private static char UnitAt(ReadOnlySpan<byte> text) => System.Buffers.Text.Utf8Parser.TryParse(text.Slice(1, 4), out ushort unit, out _, 'x') ? (char)unit : '\ufffd';
}

/// <summary><c>| json a="b.c"</c>: what stands at some places becomes labels.</summary>
internal sealed class JsonExtractStep(JsonStage stage) : ILineStep
{
    private readonly (string Label, JsonPath Path)[] extractions =
        [.. stage.Extractions.Select(extraction => (extraction.Label, JsonPath.TryParse(extraction.Path, out var path) ? path! : throw new ArgumentException(extraction.Path, nameof(stage))))];

    private byte[] unescaped = new byte[1024];

    public bool Apply(ref ReadOnlySpan<byte> line, LineContext context)
    {
        try
        {
            foreach (var (label, path) in extractions)
            {
                var reader = new Utf8JsonReader(line);
                if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                {
                    context.Labels.SetError(JsonStep.Error, "the line is no JSON object");
                    return true;
                }

                var value = Find(ref reader, path, line);
                _ = !value.IsEmpty ? context.Labels.TryExtract(label, value) : context.Labels.Find(label) >= 0 || context.Labels.TryExtractNothing(label);
            }
        }
        catch (JsonException exception)
        {
            context.Labels.SetError(JsonStep.Error, exception.Message);
        }

        return true;
    }

    private ReadOnlySpan<byte> Find(ref Utf8JsonReader reader, JsonPath path, ReadOnlySpan<byte> line)
    {
        foreach (var step in path.Steps)
        {
            if (!(step.Index >= 0 ? TryEnterElement(ref reader, step.Index) : TryEnterMember(ref reader, step.Name)))
            {
                return default;
            }
        }

        if (reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
        {
            return JsonText.ValueOf(ref reader, ref unescaped);
        }

        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return line[start..(int)reader.BytesConsumed];
    }

    private static bool TryEnterMember(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isIt = reader.ValueTextEquals(name);
            reader.Read();
            if (isIt)
            {
                return true;
            }

            reader.Skip();
        }

        return false;
    }

    private static bool TryEnterElement(ref Utf8JsonReader reader, int index)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (index-- == 0)
            {
                return true;
            }

            reader.Skip();
        }

        return false;
    }
}

/// <summary><c>| unpack</c>: the texts of a JSON object become labels, and <c>_entry</c> the line.</summary>
internal sealed class UnpackStep : ILineStep
{
    private readonly List<(string Name, byte[] Value)> found = [];
    private byte[] unescaped = new byte[1024];

    public bool Apply(ref ReadOnlySpan<byte> line, LineContext context)
    {
        if (line.IsEmpty)
        {
            return true;
        }

        var reader = new Utf8JsonReader(line);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                context.Labels.SetError(JsonStep.Error, "the line is no JSON object");
                return true;
            }

            Unpack(ref reader, ref line, context);
        }
        catch (JsonException exception)
        {
            context.Labels.SetError(JsonStep.Error, exception.Message);
        }

        return true;
    }

    private void Unpack(ref Utf8JsonReader reader, ref ReadOnlySpan<byte> line, LineContext context)
    {
        // A line is packed when it has an entry; else it stays as it is.
        found.Clear();
        var entry = ReadOnlySpan<byte>.Empty;
        var hasEntry = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isEntry = reader.ValueTextEquals("_entry"u8);
            var name = isEntry ? "" : context.Names.NameOf(JsonText.ValueOf(ref reader, ref unescaped));
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
            {
                reader.Skip();
                continue;
            }

            var value = JsonText.ValueOf(ref reader, ref unescaped);
            if (isEntry)
            {
                entry = value.ToArray();
                hasEntry = true;
            }
            else if (name.Length > 0)
            {
                found.Add((name, value.ToArray()));
            }
        }

        if (!hasEntry)
        {
            return;
        }

        foreach (var (name, value) in found)
        {
            context.Labels.TryExtract(name, value);
        }

        line = context.Replace(entry);
    }
}
