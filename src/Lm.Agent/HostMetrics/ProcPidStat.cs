namespace Lm.Agent.HostMetrics;

/// <summary>The format of <c>/proc/PID/stat</c>.</summary>
/// <remarks>
/// Source: proc_pid_stat(5). Example: <c>812 (nginx) S 1 812 … 20 0 4 0 931 …</c>. The name is whatever the program called itself: blanks, parentheses and
/// newlines included, not always UTF-8; the last <c>)</c> ends it, for no field behind it can hold one.
/// </remarks>
internal static class ProcPidStat
{
    // Fields as the manual page numbers them; the first behind the name is 3.
    private const int ParentField = 4;
    private const int UserTicksField = 14;
    private const int SystemTicksField = 15;
    private const int ThreadsField = 20;
    private const int StartTicksField = 22;
    private const int ResidentField = 24;

    /// <summary>Parses the file's text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="process">What it says; the name points into the text.</param>
    /// <returns>False when it is not of this form, or ends before its start time does; <paramref name="process"/> is then empty.</returns>
    public static bool TryParse(ReadOnlySpan<byte> text, out ProcessStat process)
    {
        process = default;
        var nameStart = text.IndexOf((byte)'(') + 1;
        var nameEnd = text.LastIndexOf((byte)')');
        if (nameStart == 0 || nameEnd < nameStart)
        {
            return false;
        }

        var fields = text[(nameEnd + 1)..];
        if (!ProcText.TryNextField(ref fields, out var state) || !ProcText.TryNextField(ref fields, out var parent)
            || !TrySkip(ref fields, UserTicksField - ParentField - 1) || !ProcText.TryNextNumber(ref fields, out var userTicks)
            || !ProcText.TryNextNumber(ref fields, out var systemTicks)
            || !TrySkip(ref fields, ThreadsField - SystemTicksField - 1) || !ProcText.TryNextField(ref fields, out var threads)
            || !TrySkip(ref fields, StartTicksField - ThreadsField - 1) || !ProcText.TryNextNumber(ref fields, out var startTicks)
            || fields.IsEmpty)
        {
            return false;
        }

        // What only the profile host asks for is zero where it cannot be understood.
        _ = ProcText.TryParseNumber(parent, out var parentId);
        _ = ProcText.TryParseNumber(threads, out var threadCount);
        var residentPages = 0UL;
        _ = TrySkip(ref fields, ResidentField - StartTicksField - 1) && ProcText.TryNextNumber(ref fields, out residentPages);
        process = new ProcessStat
        {
            Name = text[nameStart..nameEnd],
            State = state[0],
            ParentId = parentId,
            ThreadCount = threadCount,
            ResidentPages = residentPages,
            // Saturated: two counters near 2^64 are a broken kernel's, not a reason to wrap to almost nothing.
            CpuTicks = userTicks > ulong.MaxValue - systemTicks ? ulong.MaxValue : userTicks + systemTicks,
            StartTicks = startTicks,
        };
        return true;
    }

    private static bool TrySkip(ref ReadOnlySpan<byte> fields, int count)
    {
        for (var i = 0; i < count; i++)
        {
            if (!ProcText.TryNextField(ref fields, out _))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>What <c>/proc/PID/stat</c> says of a process.</summary>
internal readonly ref struct ProcessStat
{
    /// <summary>The name, as the kernel has it.</summary>
    public ReadOnlySpan<byte> Name { get; init; }

    /// <summary>CPU time of all its threads in user and kernel mode, ticks.</summary>
    public ulong CpuTicks { get; init; }

    /// <summary>When it started, ticks since boot.</summary>
    public ulong StartTicks { get; init; }

    /// <summary>Its state, a letter: R, S, D, Z…</summary>
    public byte State { get; init; }

    /// <summary>The process that it is a child of; 0 for none.</summary>
    public ulong ParentId { get; init; }

    /// <summary>Its threads.</summary>
    public ulong ThreadCount { get; init; }

    /// <summary>Memory that it holds, pages.</summary>
    public ulong ResidentPages { get; init; }
}
