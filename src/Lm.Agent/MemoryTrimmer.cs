using System.Globalization;
using System.Runtime.InteropServices;

namespace Lm.Agent;

/// <summary>Gives memory back that a small daemon does not need between ticks. Every step is a hint: none can fail in a way that matters.</summary>
/// <remarks>
/// The first generation of the heap grows, left alone, to the size of the CPU's cache, tens of MiB; a tick leaves some kilobytes.
/// Start-up (settings, certificates, the TLS handshake) leaves freed blocks in malloc's heap, and touches code that is not run again
/// for hours. docs/decisions/0010-own-http-client.md has the figures.
/// </remarks>
internal sealed unsafe partial class MemoryTrimmer
{
    private const int TicksPerCollection = 4;

    // Once the first uploads are through; then two after each new connection, whose handshake is over by that time.
    private const int TicksUntilRelease = 12;
    private const int TicksFromConnectionToRelease = 2;

    private const int DontNeed = 4; // MADV_DONTNEED

    private const int ArenaMaxParameter = -8; // M_ARENA_MAX

    private int ticks;
    private int releaseAt = TicksUntilRelease;
    private int hasConnected;

    /// <summary>Gives all threads one heap of malloc's: each would get one of its own, and keep in it what another could use. To be called before threads start.</summary>
    public static void KeepToOneArena()
    {
        try
        {
            _ = SetMallocOption(ArenaMaxParameter, 1);
        }
        catch (EntryPointNotFoundException)
        {
            // A libc other than glibc has no such call.
        }
    }

    /// <summary>The handshake of a new connection touched code that goes again. May be called from any thread.</summary>
    public void NoteConnection() => Interlocked.Exchange(ref hasConnected, 1);

    /// <summary>Called after each tick.</summary>
    public void AfterTick()
    {
        ticks++;
        // One that is planned stays: with a connection for each tick it would be put off for ever.
        if (Interlocked.Exchange(ref hasConnected, 0) == 1 && releaseAt < ticks)
        {
            releaseAt = ticks + TicksFromConnectionToRelease;
        }

        if (ticks % TicksPerCollection == 0)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }

        if (ticks == releaseAt)
        {
            TrimNativeHeap();
            ReleaseCode();
        }
    }

    private static void TrimNativeHeap()
    {
        try
        {
            _ = TrimMalloc(0);
        }
        catch (EntryPointNotFoundException)
        {
            // A libc other than glibc has no such call.
        }
    }

    /// <summary>Unmaps the pages of program files; those that are used again come back from the page cache, unread from disk.</summary>
    private static void ReleaseCode()
    {
        try
        {
            foreach (var (start, length) in FindClean(File.ReadLines("/proc/self/smaps")))
            {
                _ = Advise((void*)start, length, DontNeed);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // A hardened /proc: then the pages stay.
        }
    }

    /// <summary>Finds, in proc_pid_smaps(5), private read-only mappings of files of which no page was ever written: each is as the file has it.</summary>
    internal static List<(nuint Start, nuint Length)> FindClean(IEnumerable<string> smaps)
    {
        var clean = new List<(nuint Start, nuint Length)>();
        (nuint Start, nuint Length)? candidate = null;
        foreach (var line in smaps)
        {
            if (TryParseMapping(line, out var start, out var length, out var isReadOnlyFile))
            {
                candidate = isReadOnlyFile ? (start, length) : null;
            }
            else if (candidate is { } mapping && line.StartsWith("Anonymous:", StringComparison.Ordinal))
            {
                // Relocated pages are private copies: giving those up would bring back the file's.
                if (line.AsSpan("Anonymous:".Length).Trim() is "0 kB")
                {
                    clean.Add(mapping);
                }

                candidate = null;
            }
        }

        return clean;
    }

    // 55d0-55d8 r-xp 00001000 08:01 1234   /usr/bin/program
    private static bool TryParseMapping(string line, out nuint start, out nuint length, out bool isReadOnlyFile)
    {
        (start, length, isReadOnlyFile) = (0, 0, false);
        var dash = line.IndexOf('-', StringComparison.Ordinal);
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        if (dash <= 0 || space < dash
            || !nuint.TryParse(line.AsSpan(0, dash), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out start)
            || !nuint.TryParse(line.AsSpan(dash + 1, space - dash - 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var end)
            || end <= start)
        {
            return false;
        }

        length = end - start;
        var rights = line.AsSpan(space);
        isReadOnlyFile = (rights.StartsWith(" r-xp ") || rights.StartsWith(" r--p ")) && line.Contains(" /", StringComparison.Ordinal);
        return true;
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimMalloc(nuint pad);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetMallocOption(int parameter, int value);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
