using System.Runtime.CompilerServices;

namespace Lm.Agent.HostMetrics;

/// <summary>The format of <c>/proc/stat</c>.</summary>
/// <remarks>
/// Source: proc_stat(5). Example of a CPU line: <c>cpu0 7228 0 2297 146609 40 0 12 20 0 0</c>: ticks as user, nice, system, idle, iowait, irq,
/// softirq and steal, then guest and guest_nice, which user and nice already hold. Kernels before 2.6.11 write fewer columns; offline CPUs have no line.
/// </remarks>
internal static class ProcStat
{
    /// <summary>The modes, in the order of the columns.</summary>
    public const int ModeCount = 8;

    // user, nice, system and idle: every kernel has written these.
    private const int ModeCountMin = 4;

    /// <summary>Takes the next CPU line off the text.</summary>
    /// <param name="text">The text from the start of a line; what is left of it afterwards.</param>
    /// <param name="cpu">The CPU's id; -1 on the line of all CPUs together.</param>
    /// <param name="times">Its times.</param>
    /// <returns>The line's status; <see cref="CpuLine.End"/> at the first line that is no CPU's, or at one that the text cuts.</returns>
    public static CpuLine TryNextCpu(ref ReadOnlySpan<byte> text, out int cpu, out CpuTimes times)
    {
        cpu = -1;
        times = default;
        if (!ProcText.TryNextLine(ref text, out var line, out var isWhole) || !line.StartsWith("cpu"u8) || !isWhole)
        {
            return CpuLine.End;
        }

        line = line["cpu".Length..];
        if (line.Length > 0 && line[0] != (byte)' ')
        {
            if (!ProcText.TryNextNumber(ref line, out var id) || id > int.MaxValue)
            {
                return CpuLine.Malformed;
            }

            cpu = (int)id;
        }

        return TryParseTimes(line, out times) ? CpuLine.Good : CpuLine.Malformed;
    }

    /// <summary>Finds when the host was started.</summary>
    /// <param name="text">The file's whole text.</param>
    /// <param name="bootTime">Seconds since 1970.</param>
    /// <returns>False when there is no whole line <c>btime</c> with a number.</returns>
    public static bool TryParseBootTime(ReadOnlySpan<byte> text, out long bootTime)
    {
        bootTime = 0;
        while (ProcText.TryNextLine(ref text, out var line, out var isWhole))
        {
            if (isWhole && line.StartsWith("btime "u8))
            {
                line = line["btime ".Length..];
                // Bounded so that adding a start time cannot overflow.
                var isGood = ProcText.TryNextNumber(ref line, out var seconds) && seconds <= int.MaxValue * 1000UL;
                bootTime = isGood ? (long)seconds : 0;
                return isGood;
            }
        }

        return false;
    }

    private static bool TryParseTimes(ReadOnlySpan<byte> line, out CpuTimes times)
    {
        times = default;
        var count = 0;
        while (count < ModeCount && ProcText.TryNextField(ref line, out var field))
        {
            if (!ProcText.TryParseNumber(field, out var ticks))
            {
                return false;
            }

            times.Ticks[count] = ticks;
            count++;
        }

        times.Count = count;
        return count >= ModeCountMin;
    }
}

/// <summary>What a line of <c>/proc/stat</c> was found to be.</summary>
internal enum CpuLine
{
    /// <summary>A CPU's times.</summary>
    Good = 0,

    /// <summary>No further CPU.</summary>
    End = 1,

    /// <summary>A CPU's line that cannot be understood.</summary>
    Malformed = 2,
}

/// <summary>A CPU's ticks since boot by mode: user, nice, system, idle, iowait, irq, softirq, steal.</summary>
internal struct CpuTimes
{
    /// <summary>The ticks; those of modes that the kernel does not report are zero.</summary>
    public ModeTicks Ticks;

    /// <summary>Modes that the kernel reports, the first ones.</summary>
    public int Count;
}

/// <summary>One number for each mode.</summary>
[InlineArray(ProcStat.ModeCount)]
internal struct ModeTicks
{
    private ulong first;
}
