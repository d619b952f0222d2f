using System.Text;
using System.Text.Unicode;
using Lm.Protocol;

namespace Lm.Agent.Exposition;

/// <summary>Labels as they stand between braces: <c>name="value",other="with \" and \n"</c>.</summary>
internal static class ExpositionLabels
{
    /// <summary>Labels of one series.</summary>
    public const int CountMax = 64;

    /// <summary>Bytes of a label's name: what a collector takes by default.</summary>
    public const int NameBytesMax = 128;

    /// <summary>Bytes of a label's value: what a collector takes by default.</summary>
    public const int ValueBytesMax = 512;

    /// <summary>Reads labels; those with an empty value are left out, which is what they mean.</summary>
    /// <param name="text">What stands between the braces.</param>
    /// <param name="into">Gets them, in the order in which they stand.</param>
    /// <returns>What is wrong; empty for nothing.</returns>
    public static string Read(ReadOnlySpan<byte> text, List<Label> into)
    {
        into.Clear();
        var rest = Skip(text);
        while (!rest.IsEmpty)
        {
            if (into.Count == CountMax)
            {
                return $"it has more than {CountMax} labels";
            }

            if (ReadOne(ref rest, into) is { Length: > 0 } fault)
            {
                return fault;
            }

            rest = Skip(rest);
            if (rest is [(byte)',', .. var more])
            {
                rest = Skip(more);
            }
            else if (!rest.IsEmpty)
            {
                return "there is no comma between its labels";
            }
        }

        return "";
    }

    private static string ReadOne(ref ReadOnlySpan<byte> rest, List<Label> into)
    {
        var equals = rest.IndexOf((byte)'=');
        var nameBytes = equals < 0 ? default : rest[..equals].TrimEnd(" \t"u8);
        if (!ExpositionLine.IsName(nameBytes) || nameBytes.Contains((byte)':') || nameBytes.Length > NameBytesMax)
        {
            return $"a label of it has no name of 1 to {NameBytesMax} letters, digits and _";
        }

        rest = Skip(rest[(equals + 1)..]);
        if (rest is not [(byte)'"', ..])
        {
            return "a label's value does not stand in quotes";
        }

        var length = LengthOfValue(rest[1..]);
        if (length < 0)
        {
            return "a label's value has no closing quote";
        }

        var raw = rest.Slice(1, length);
        rest = rest[(length + 2)..];
        if (raw.Length > 2 * ValueBytesMax || !Utf8.IsValid(raw))
        {
            return raw.Length > 2 * ValueBytesMax ? TooLong : "a label's value is not UTF-8";
        }

        var name = Encoding.ASCII.GetString(nameBytes);
        var value = Unescape(raw);
        if (Encoding.UTF8.GetByteCount(value) > ValueBytesMax)
        {
            return TooLong;
        }

        if (into.Exists(label => label.Name == name))
        {
            return $"label {name} stands there twice";
        }

        if (value.Length > 0)
        {
            into.Add(new Label(name, value));
        }

        return "";
    }

    private static string TooLong => $"a label's value is longer than {ValueBytesMax} bytes";

    private static int LengthOfValue(ReadOnlySpan<byte> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == (byte)'"')
            {
                return i;
            }

            i += text[i] == (byte)'\\' ? 1 : 0;
        }

        return -1;
    }

    /// <summary>Resolves <c>\\</c>, <c>\"</c> and <c>\n</c>; another backslash stands for itself.</summary>
    public static string Unescape(ReadOnlySpan<byte> raw)
    {
        var text = Encoding.UTF8.GetString(raw);
        if (!text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var next = text[i] == '\\' && i + 1 < text.Length ? text[i + 1] : '\0';
            if (next is '\\' or '"' or 'n')
            {
                result.Append(next == 'n' ? '\n' : next);
                i++;
            }
            else
            {
                result.Append(text[i]);
            }
        }

        return result.ToString();
    }

    private static ReadOnlySpan<byte> Skip(ReadOnlySpan<byte> text) => text.TrimStart(" \t"u8);
}
