using System.Runtime.InteropServices;

namespace Lm.Agent.HostMetrics;

/// <summary>The process ids of /proc, listed without a string for each.</summary>
/// <remarks>Source: readdir(3). Entries that are not numbers (<c>self</c>, <c>stat</c>, <c>sys</c>) are passed over.</remarks>
internal unsafe ref struct ProcDirectory
{
    private void* directory;

    private ProcDirectory(void* directory) => this.directory = directory;

    /// <summary>What the kernel answered when the listing broke off before its end; 0 when it did not.</summary>
    public int Errno { get; private set; }

    /// <summary>Opens a folder.</summary>
    /// <param name="path">Its name, ending with a NUL.</param>
    /// <param name="opened">The listing; empty after an error.</param>
    /// <returns>0, or the error number.</returns>
    public static int Open(byte* path, out ProcDirectory opened)
    {
        opened = new ProcDirectory(Libc.OpenDirectory(path));
        return opened.directory == null ? Marshal.GetLastPInvokeError() : 0;
    }

    /// <summary>Goes to the next process.</summary>
    /// <param name="pid">Its id.</param>
    /// <returns>False at the end, or after an error that <see cref="Errno"/> holds.</returns>
    public bool TryNext(out int pid)
    {
        pid = 0;
        while (directory != null)
        {
            var entry = Libc.ReadDirectory(directory);
            if (entry == null)
            {
                // Null is both the end and an error; only errno tells, and the call sets it to zero first.
                Errno = Marshal.GetLastPInvokeError();
                return false;
            }

            if (TryParsePid(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(&entry->Name), out pid))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Ends the listing.</summary>
    public void Dispose()
    {
        if (directory != null)
        {
            _ = Libc.CloseDirectory(directory);
            directory = null;
        }
    }

    private static bool TryParsePid(ReadOnlySpan<byte> name, out int pid)
    {
        pid = 0;
        // A leading zero would name the same process twice; the kernel writes none, and pids have at most seven digits.
        return name.Length is > 0 and <= 9 && name[0] is >= (byte)'1' and <= (byte)'9'
            && ProcText.TryParseNumber(name, out var number) && (pid = (int)number) > 0;
    }
}
