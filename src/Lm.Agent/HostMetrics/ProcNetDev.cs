namespace Lm.Agent.HostMetrics;

/// <summary>The format of <c>/proc/net/dev</c>.</summary>
/// <remarks>
/// Source: proc_pid_net(5). Two lines of headings with bars (<c> face |bytes packets …</c>), then a line for each interface:
/// <c>  eth0: 636904335 12483 0 0 0 0 0 0 558366 7297 0 0 0 0 0 0</c>: eight columns received, eight sent, bytes first. Older kernels leave out the blank
/// behind the colon when the number is wide, and give aliases a colon of their own (<c>eth0:1:</c>), so the last colon ends the name.
/// </remarks>
internal static class ProcNetDev
{
    private const int ReceiveColumns = 8;

    /// <summary>Takes the two lines of headings off the text.</summary>
    /// <param name="text">The file's text; what is left of it afterwards.</param>
    /// <returns>False when they are not there, or do not speak of bytes: Linux 2.0 counted packets alone.</returns>
    public static bool TrySkipHeadings(ref ReadOnlySpan<byte> text) =>
        ProcText.TryNextLine(ref text, out var first, out _) && first.Contains((byte)'|')
        && ProcText.TryNextLine(ref text, out var second, out var isWhole) && isWhole && second.IndexOf("|bytes "u8) >= 0;

    /// <summary>Takes the next interface off the text.</summary>
    /// <param name="text">The text behind the headings, from the start of a line; what is left of it afterwards.</param>
    /// <param name="device">Its name and counters; the name points into the text.</param>
    /// <returns>The line's status; empty lines are passed over.</returns>
    public static NetDevLine TryNext(ref ReadOnlySpan<byte> text, out NetDevCounters device)
    {
        device = default;
        while (ProcText.TryNextLine(ref text, out var line, out var isWhole))
        {
            if (line.Trim(" \t"u8).IsEmpty)
            {
                continue;
            }

            // A line that the text cuts may hold half a number.
            return isWhole && TryParse(line, out device) ? NetDevLine.Good : NetDevLine.Malformed;
        }

        return NetDevLine.End;
    }

    private static bool TryParse(ReadOnlySpan<byte> line, out NetDevCounters device)
    {
        device = default;
        var colon = line.LastIndexOf((byte)':');
        if (colon < 0)
        {
            return false;
        }

        var name = line[..colon].Trim(" \t"u8);
        line = line[(colon + 1)..];
        if (name.IsEmpty || !ProcText.TryNextNumber(ref line, out var received))
        {
            return false;
        }

        for (var column = 1; column < ReceiveColumns; column++)
        {
            if (!ProcText.TryNextField(ref line, out _))
            {
                return false;
            }
        }

        if (!ProcText.TryNextNumber(ref line, out var sent))
        {
            return false;
        }

        device = new NetDevCounters { Name = name, ReceivedBytes = received, SentBytes = sent };
        return true;
    }
}

/// <summary>What a line of <c>/proc/net/dev</c> was found to be.</summary>
internal enum NetDevLine
{
    /// <summary>An interface's counters.</summary>
    Good = 0,

    /// <summary>No further line.</summary>
    End = 1,

    /// <summary>A line that cannot be understood.</summary>
    Malformed = 2,
}

/// <summary>One interface's counters.</summary>
internal readonly ref struct NetDevCounters
{
    /// <summary>Its name, as the kernel has it: not always UTF-8.</summary>
    public ReadOnlySpan<byte> Name { get; init; }

    /// <summary>Bytes received.</summary>
    public ulong ReceivedBytes { get; init; }

    /// <summary>Bytes sent.</summary>
    public ulong SentBytes { get; init; }
}
