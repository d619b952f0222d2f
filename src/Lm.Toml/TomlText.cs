using System.Buffers;
using System.Text.Unicode;

namespace Lm.Toml;

/// <summary>A file's bytes as text.</summary>
internal static class TomlText
{
    /// <summary>The largest file read: 16 MiB, a token table of about 150,000 agents. The values take up to fifty times a file's size.</summary>
    public const int BytesMax = 16 * 1024 * 1024;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>Decodes strictly: a byte that is not UTF-8 is a fault, never replaced in silence.</summary>
    /// <returns>Null after a fault. A byte order mark at the start is left out.</returns>
    public static string? Decode(ReadOnlySpan<byte> utf8, SettingsFaults faults)
    {
        if (utf8.Length > BytesMax)
        {
            faults.Add(new TomlPosition(1, 1), $"the file has {utf8.Length} bytes; allowed is {BytesMax}");
            return null;
        }

        var start = utf8.StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0;
        // A byte makes at most one UTF-16 unit.
        var text = new char[utf8.Length - start];
        var status = Utf8.ToUtf16(utf8[start..], text, out var bytesRead, out var charsWritten, replaceInvalidSequences: false);
        if (status == OperationStatus.Done)
        {
            return new string(text, 0, charsWritten);
        }

        faults.Add(
            EndOf(text.AsSpan(0, charsWritten)),
            $"byte {start + bytesRead} of the file, counted from 0, is not valid UTF-8; a TOML file is UTF-8 throughout");
        return null;
    }

    private static TomlPosition EndOf(ReadOnlySpan<char> text)
    {
        var lastLine = text[(text.LastIndexOf('\n') + 1)..];
        var codePoints = 0;
        foreach (var unit in lastLine)
        {
            codePoints += char.IsLowSurrogate(unit) ? 0 : 1;
        }

        return new TomlPosition(text.Count('\n') + 1, codePoints + 1);
    }
}
