namespace Lm.Agent.HostMetrics;

/// <summary>The process ids of /proc, listed without a string for each.</summary>
/// <remarks>Entries that are not numbers (<c>self</c>, <c>stat</c>, <c>sys</c>) are passed over.</remarks>
internal ref struct ProcDirectory(HostDirectory directory)
{
    private HostDirectory directory = directory;

    /// <summary>What the kernel answered when the listing broke off before its end; 0 when it did not.</summary>
    public readonly int Errno => directory.Errno;

    /// <summary>Goes to the next process.</summary>
    /// <param name="pid">Its id.</param>
    /// <returns>False at the end, or after an error that <see cref="Errno"/> holds.</returns>
    public bool TryNext(out int pid)
    {
        pid = 0;
        while (directory.TryNext(out var name))
        {
            if (TryParsePid(name, out pid))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Ends the listing.</summary>
    public void Dispose() => directory.Dispose();

    private static bool TryParsePid(ReadOnlySpan<byte> name, out int pid)
    {
        pid = 0;
        // A leading zero would name the same process twice; the kernel writes none, and pids have at most seven digits.
        return name.Length is > 0 and <= 9 && name[0] is >= (byte)'1' and <= (byte)'9'
            && ProcText.TryParseNumber(name, out var number) && (pid = (int)number) > 0;
    }
}
