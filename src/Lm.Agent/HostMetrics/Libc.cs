using System.Runtime.InteropServices;

namespace Lm.Agent.HostMetrics;

/// <summary>The calls of libc that host metrics need.</summary>
/// <remarks>
/// <para>A process scan opens, reads and closes one file per process at every tick. Through <see cref="File"/> each of those costs a path string,
/// a handle object, an fstat and a flock; through these calls it costs three system calls and no memory.</para>
/// <para>All signatures are those of 64-bit Linux, glibc and musl alike, with blittable arguments only.</para>
/// </remarks>
internal static unsafe partial class Libc
{
    /// <summary>No such file or directory.</summary>
    public const int NotFound = 2;

    /// <summary>No such process: it went away between open and read.</summary>
    public const int NoSuchProcess = 3;

    /// <summary>The call was interrupted by a signal and is made again.</summary>
    public const int Interrupted = 4;

    /// <summary>A file is larger than its bound here.</summary>
    public const int TooLarge = 27;

    /// <summary>A path is longer than its bound here.</summary>
    public const int NameTooLong = 36;

    /// <summary><c>O_RDONLY | O_CLOEXEC</c> of every architecture that .NET runs on.</summary>
    public const int OpenReadOnly = 0x80000;

    // _SC_CLK_TCK of <bits/confname.h>; musl numbers it alike.
    private const int ClockTicksName = 2;

    /// <summary>Units of the CPU times in /proc per second (sysconf(3)); 0 when libc does not say.</summary>
    public static long ClockTicksPerSecond => Math.Max(0, SysConf(ClockTicksName));

    /// <summary>The system's words for an error number.</summary>
    /// <param name="errno">The number.</param>
    public static string Describe(int errno) => $"{Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})";

    /// <summary>open(2).</summary>
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    public static partial int Open(byte* path, int flags);

    /// <summary>pread(2).</summary>
    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    public static partial nint ReadAt(int descriptor, byte* buffer, nint count, long offset);

    /// <summary>close(2).</summary>
    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    /// <summary>opendir(3).</summary>
    [LibraryImport("libc", EntryPoint = "opendir", SetLastError = true)]
    public static partial void* OpenDirectory(byte* path);

    /// <summary>readdir(3): the next entry, or null at the end or after an error.</summary>
    [LibraryImport("libc", EntryPoint = "readdir", SetLastError = true)]
    public static partial DirectoryEntry* ReadDirectory(void* directory);

    /// <summary>closedir(3).</summary>
    [LibraryImport("libc", EntryPoint = "closedir")]
    public static partial int CloseDirectory(void* directory);

    /// <summary>realpath(3): the path without links, to be freed; or null.</summary>
    [LibraryImport("libc", EntryPoint = "realpath")]
    public static partial byte* RealPath(byte* path, byte* resolved);

    /// <summary>statvfs(3).</summary>
    [LibraryImport("libc", EntryPoint = "statvfs", SetLastError = true)]
    public static partial int StatVfs(byte* path, StatVfsResult* result);

    [LibraryImport("libc", EntryPoint = "sysconf")]
    private static partial long SysConf(int name);

    /// <summary><c>struct dirent</c> of 64-bit Linux; the name follows at its fixed offset.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct DirectoryEntry
    {
        /// <summary>Inode number.</summary>
        public ulong Inode;

        /// <summary>Where the next entry begins, opaque.</summary>
        public long Offset;

        /// <summary>Bytes of this entry.</summary>
        public ushort RecordBytes;

        /// <summary>Kind of file.</summary>
        public byte Kind;

        /// <summary>First byte of the name, which ends with a NUL.</summary>
        public byte Name;
    }

    /// <summary>The first fields of <c>struct statvfs</c> of 64-bit Linux, and room for the rest.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 256)]
    public struct StatVfsResult
    {
        /// <summary>Preferred block size for I/O.</summary>
        public ulong BlockBytes;

        /// <summary>The unit that the block counts are in, bytes.</summary>
        public ulong FragmentBytes;

        /// <summary>Size of the filesystem, fragments.</summary>
        public ulong Blocks;

        /// <summary>Free fragments, those kept for root included.</summary>
        public ulong BlocksFree;

        /// <summary>Free fragments that an unprivileged user may take.</summary>
        public ulong BlocksAvailable;

        /// <summary>Inodes in all.</summary>
        public ulong Files;

        /// <summary>Free inodes.</summary>
        public ulong FilesFree;
    }
}
