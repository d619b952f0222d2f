namespace Lm.Agent.LogTail;

/// <summary>Severities as programs write them, as OpenTelemetry's numbers.</summary>
/// <remarks>Source: OpenTelemetry's log data model, appendix B, for the mapping of syslog and of common names.</remarks>
internal static class SeverityName
{
    private static readonly ByteKind[] Kinds = MakeKinds();

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
        var before = ByteKind.Other;
        for (var i = 0; i < near.Length; i++)
        {
            var kind = Kinds[near[i]];

            // Most words are ruled out by their first letters: none of these is compared with names.
            var mayBeName = (kind == ByteKind.Upper && before is ByteKind.Other or ByteKind.Mark && i + 1 < near.Length && Kinds[near[i + 1]] == ByteKind.Upper)
                || (before == ByteKind.Mark && kind is ByteKind.Upper or ByteKind.Lower);
            if (mayBeName && ReadName(near, i) is > 0 and var severity)
            {
                return severity;
            }

            before = kind;
        }

        return OfFirstWord(near);
    }

    private static int OfFirstWord(ReadOnlySpan<byte> near)
    {
        var text = near.TrimStart((byte)' ');
        var end = 0;
        while (end < text.Length && Kinds[text[end]] is ByteKind.Upper or ByteKind.Lower)
        {
            end++;
        }

        return end == text.Length || text[end] is (byte)' ' or (byte)':' ? Of(text[..end]) : 0;
    }

    private static int ReadName(ReadOnlySpan<byte> near, int start)
    {
        var end = start + 1;
        while (end < near.Length && Kinds[near[end]] is ByteKind.Upper or ByteKind.Lower)
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

    private static ByteKind[] MakeKinds()
    {
        var kinds = new ByteKind[256];
        kinds.AsSpan('A', 26).Fill(ByteKind.Upper);
        kinds.AsSpan('a', 26).Fill(ByteKind.Lower);
        kinds['['] = kinds['<'] = kinds['='] = ByteKind.Mark;
        return kinds;
    }

    /// <summary>What a byte is in a search for names.</summary>
    private enum ByteKind : byte
    {
        Other,
        Upper,
        Lower,
        Mark,
    }
}
