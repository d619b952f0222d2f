using System.Numerics;
using System.Runtime.Intrinsics;

namespace Lm.Agent.LogTail;

/// <summary>Severities as programs write them, as OpenTelemetry's numbers.</summary>
/// <remarks>Source: OpenTelemetry's log data model, appendix B, for the mapping of syslog and of common names.</remarks>
internal static class SeverityName
{
    // How far behind a time a severity's name is looked for: host, program and thread may stand between.
    private const int LookBytes = 64;

    /// <summary>Of a syslog severity, 0 (emergency) to 7 (debug).</summary>
    public static int OfSyslog(int severity) => severity switch
    {
        0 => 21,
        1 => 19,
        2 => 18,
        3 => 17,
        4 => 13,
        5 => 10,
        6 => 9,
        _ => 5,
    };

    /// <summary>Of a name in any case; 0 when it is none.</summary>
    public static int Of(ReadOnlySpan<byte> name)
    {
        if (name.Length is < 3 or > 13)
        {
            return 0;
        }

        Span<byte> lower = stackalloc byte[13];
        for (var i = 0; i < name.Length; i++)
        {
            lower[i] = (byte)(name[i] | 0x20);
        }

        return OfLower(lower[..name.Length]);
    }

    /// <summary>Of a number: syslog's 0 to 7, or the tens of bunyan and pino, 10 (trace) to 60 (fatal).</summary>
    public static int OfNumber(long number) => number switch
    {
        >= 0 and <= 7 => OfSyslog((int)number),
        10 => 1,
        20 => 5,
        30 => 9,
        40 => 13,
        50 => 17,
        60 => 21,
        _ => 0,
    };

    /// <summary>Looks for a name in capitals, in brackets, or behind <c>level=</c>, near the start of what follows a time; else the first word there may be one.</summary>
    public static int FindNear(ReadOnlySpan<byte> text)
    {
        var near = text[..Math.Min(text.Length, LookBytes)];
        for (var starts = StartsOf(near); starts != 0; starts &= starts - 1)
        {
            if (ReadName(near, BitOperations.TrailingZeroCount(starts)) is > 0 and var severity)
            {
                return severity;
            }
        }

        return OfFirstWord(near);
    }

    // Where a name may start, a bit for each byte: two capitals behind what is no letter, or a letter behind a mark. Most words are ruled out by that: none of these is compared with names.
    private static ulong StartsOf(scoped ReadOnlySpan<byte> near)
    {
        Span<byte> padded = stackalloc byte[LookBytes];
        if (near.Length < LookBytes)
        {
            padded.Clear();
            near.CopyTo(padded);
            near = padded;
        }

        var (capitals, letters, marks) = (0UL, 0UL, 0UL);
        for (var i = 0; i < LookBytes; i += Vector128<byte>.Count)
        {
            var bytes = Vector128.Create(near.Slice(i, Vector128<byte>.Count));
            var isMark = Vector128.Equals(bytes, Vector128.Create((byte)'[')) | Vector128.Equals(bytes, Vector128.Create((byte)'<')) | Vector128.Equals(bytes, Vector128.Create((byte)'='));
            capitals |= (ulong)InAlphabet(bytes, 'A').ExtractMostSignificantBits() << i;
            letters |= (ulong)InAlphabet(bytes | Vector128.Create((byte)0x20), 'a').ExtractMostSignificantBits() << i;
            marks |= (ulong)isMark.ExtractMostSignificantBits() << i;
        }

        return (capitals & (capitals >> 1) & ~(letters << 1)) | (letters & (marks << 1));
    }

    private static Vector128<byte> InAlphabet(Vector128<byte> bytes, char first) =>
        Vector128.LessThan(bytes - Vector128.Create((byte)first), Vector128.Create((byte)26));

    private static int OfFirstWord(ReadOnlySpan<byte> near)
    {
        var text = near.TrimStart((byte)' ');
        var end = 0;
        while (end < text.Length && char.IsAsciiLetter((char)text[end]))
        {
            end++;
        }

        return end == text.Length || text[end] is (byte)' ' or (byte)':' ? Of(text[..end]) : 0;
    }

    private static int ReadName(ReadOnlySpan<byte> near, int start)
    {
        var end = start + 1;
        while (end < near.Length && char.IsAsciiLetter((char)near[end]))
        {
            end++;
        }

        var word = near[start..end];
        return word.Length is >= 3 and <= 9 && (IsCapital(word) || IsMarked(near, start, end)) ? Of(word) : 0;
    }

    private static int OfLower(ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("info"u8) || name.SequenceEqual("information"u8) || name.SequenceEqual("informational"u8) || name.SequenceEqual("inf"u8))
        {
            return 9;
        }

        if (name.SequenceEqual("warn"u8) || name.SequenceEqual("warning"u8) || name.SequenceEqual("wrn"u8))
        {
            return 13;
        }

        if (name.SequenceEqual("error"u8) || name.SequenceEqual("err"u8) || name.SequenceEqual("severe"u8))
        {
            return 17;
        }

        if (name.SequenceEqual("debug"u8) || name.SequenceEqual("dbg"u8) || name.SequenceEqual("fine"u8))
        {
            return 5;
        }

        return OfRareLower(name);
    }

    private static int OfRareLower(ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("trace"u8) || name.SequenceEqual("verbose"u8) || name.SequenceEqual("trc"u8))
        {
            return 1;
        }

        if (name.SequenceEqual("notice"u8))
        {
            return 10;
        }

        if (name.SequenceEqual("fatal"u8) || name.SequenceEqual("emerg"u8) || name.SequenceEqual("emergency"u8) || name.SequenceEqual("panic"u8))
        {
            return 21;
        }

        if (name.SequenceEqual("alert"u8))
        {
            return 19;
        }

        return name.SequenceEqual("critical"u8) || name.SequenceEqual("crit"u8) ? 18 : 0;
    }

    private static bool IsCapital(ReadOnlySpan<byte> word)
    {
        foreach (var letter in word)
        {
            if ((letter & 0x20) != 0)
            {
                return false;
            }
        }

        return true;
    }

    // [error], <error>, level=error
    private static bool IsMarked(ReadOnlySpan<byte> text, int start, int end) =>
        start > 0 && (text[start - 1] == '=' || (text[start - 1] is (byte)'[' or (byte)'<' && end < text.Length && text[end] is (byte)']' or (byte)'>'));
}
