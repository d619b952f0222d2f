using System.Runtime.InteropServices;

namespace Lm.Agent.HostMetrics;

/// <summary>The names in a folder of /proc or /sys, listed without a string for each.</summary>
/// <remarks>Source: readdir(3). Names that begin with a dot are passed over.</remarks>
internal unsafe ref struct HostDirectory
{
    private const byte FolderKind = 4; // DT_DIR, which the kernel's own file systems and the usual others tell

    private void* directory;
    private bool isFolder;

    private HostDirectory(void* directory) => this.directory = directory;

    /// <summary>What the kernel answered when the listing broke off before its end; 0 when it did not.</summary>
    public int Errno { get; private set; }

    /// <summary>Opens a folder.</summary>
    /// <param name="path">Its name, ending with a NUL.</param>
    /// <param name="opened">The listing; empty after an error.</param>
    /// <returns>0, or the error number.</returns>
    public static int Open(byte* path, out HostDirectory opened)
    {
        opened = new HostDirectory(Libc.OpenDirectory(path));
        return opened.directory == null ? Marshal.GetLastPInvokeError() : 0;
    }

    /// <summary>Goes to the next entry.</summary>
    /// <param name="name">Its name; valid until the next call.</param>
    /// <returns>False at the end, or after an error that <see cref="Errno"/> holds.</returns>
    public bool TryNext(out ReadOnlySpan<byte> name)
    {
        name = default;
        while (directory != null)
        {
            var entry = Libc.ReadDirectory(directory);
            if (entry == null)
            {
                // Null is both the end and an error; only errno tells, and the call sets it to zero first.
                Errno = Marshal.GetLastPInvokeError();
                return false;
            }

            name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(&entry->Name);
            isFolder = entry->Kind == FolderKind;
            if (name.Length > 0 && name[0] != (byte)'.')
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Goes to the next entry that is a folder.</summary>
    /// <param name="name">Its name; valid until the next call.</param>
    /// <returns>False at the end, or after an error that <see cref="Errno"/> holds.</returns>
    public bool TryNextFolder(out ReadOnlySpan<byte> name)
    {
        while (TryNext(out name))
        {
            if (isFolder)
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
}
