namespace Lm.Agent.HostMetrics;

/// <summary>The format of <c>/proc/loadavg</c>.</summary>
/// <remarks>Source: proc_loadavg(5). Example: <c>0.20 0.18 0.12 1/80 11206</c>.</remarks>
internal static class ProcLoadavg
{
    /// <summary>Parses the file's text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="loads">The three averages.</param>
    /// <returns>False when the first three fields, each followed by a blank, are not numbers; <paramref name="loads"/> is then zero.</returns>
    public static bool TryParse(ReadOnlySpan<byte> text, out LoadAverages loads)
    {
        loads = default;
        if (!TryNext(ref text, out var one) || !TryNext(ref text, out var five) || !TryNext(ref text, out var fifteen))
        {
            return false;
        }

        loads = new LoadAverages(one, five, fifteen);
        return true;
    }

    private static bool TryNext(ref ReadOnlySpan<byte> text, out double load)
    {
        load = 0;
        // What ends with the text may be cut: "1" of "12.50". More fields follow in a whole file.
        return ProcText.TryNextField(ref text, out var field) && text.Length > 0 && ProcText.TryParseDecimal(field, out load);
    }
}

/// <summary>Processes that ran or waited for the disk, averaged.</summary>
/// <param name="OneMinute">Over one minute.</param>
/// <param name="FiveMinutes">Over five minutes.</param>
/// <param name="FifteenMinutes">Over fifteen minutes.</param>
internal readonly record struct LoadAverages(double OneMinute, double FiveMinutes, double FifteenMinutes);
