namespace Lm.Agent.HostMetrics;

/// <summary>The format of <c>/proc/meminfo</c>.</summary>
/// <remarks>
/// <para>Source: proc_meminfo(5). Example: <c>MemTotal:       24684092 kB</c>. What it calls kB are 1,024 bytes.</para>
/// <para><c>MemAvailable</c> came with Linux 3.14. Where it is missing, MemFree + Buffers + Cached stands for it, as <c>free</c> did before: too high by
/// shared memory and by pages that cannot be reclaimed.</para>
/// </remarks>
internal static class ProcMeminfo
{
    private const double KibibyteBytes = 1024;

    /// <summary>Parses the file's text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="memory">Total and available memory, bytes.</param>
    /// <returns>False when either is missing and cannot be estimated, or is not a number of kB; <paramref name="memory"/> is then zero.</returns>
    public static bool TryParse(ReadOnlySpan<byte> text, out MemoryBytes memory)
    {
        memory = default;
        double? total = null, available = null, free = null, buffers = null, cached = null;
        while (ProcText.TryNextLine(ref text, out var line, out var isWhole))
        {
            if (!isWhole)
            {
                break;
            }

            var isGood = TryTake(line, "MemTotal:"u8, ref total) && TryTake(line, "MemAvailable:"u8, ref available)
                && TryTake(line, "MemFree:"u8, ref free) && TryTake(line, "Buffers:"u8, ref buffers) && TryTake(line, "Cached:"u8, ref cached);
            if (!isGood)
            {
                return false;
            }

            if (total is not null && available is not null)
            {
                break; // the rest of some fifty lines is not asked for
            }
        }

        available ??= free + buffers + cached;
        if (total is not { } totalKb || available is not { } availableKb)
        {
            return false;
        }

        memory = new MemoryBytes(totalKb * KibibyteBytes, availableKb * KibibyteBytes);
        return true;
    }

    // False only for a line with this key and no number of kB: a wrong value is worse than none.
    private static bool TryTake(ReadOnlySpan<byte> line, ReadOnlySpan<byte> key, ref double? value)
    {
        if (!line.StartsWith(key))
        {
            return true;
        }

        line = line[key.Length..];
        if (!ProcText.TryNextNumber(ref line, out var number) || !ProcText.TryNextField(ref line, out var unit) || !unit.SequenceEqual("kB"u8))
        {
            return false;
        }

        value = number;
        return true;
    }
}

/// <summary>Memory of the host, bytes.</summary>
/// <param name="Total">What the kernel manages.</param>
/// <param name="Available">What new programs can have without swapping.</param>
internal readonly record struct MemoryBytes(double Total, double Available);
