using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text;

namespace Lm.Agent.HostMetrics;

/// <summary>Reads files of /proc or /sys, under a root that tests can move, into one buffer that is used again and again.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>A text that was read is valid until the next read.</item>
/// <item>Reads return 0 or the error number; nothing is thrown and, once the buffer has its size, nothing allocated.</item>
/// <item>Not safe for concurrent use: one sampler, one <see cref="ProcFs"/>.</item>
/// </list>
/// </remarks>
internal sealed unsafe class ProcFs
{
    /// <summary>The largest file that is read, bytes. The kernel's own grow with CPUs and devices: /proc/stat of a 1,024-CPU host has about 300 KiB.</summary>
    public const int FileBytesMax = 1 << 20;

    /// <summary>Bytes of one <c>ReadStart</c>: whole single-record files, and the CPU lines of /proc/stat many times over.</summary>
    public const int StartBytes = 16 * 1024;

    /// <summary>Bytes of the longest path below the root: a container's cgroup has some 250.</summary>
    public const int RelativePathBytesMax = 1024;

    // Each costs a descriptor, and the kernel up to a page; a host with a thousand interfaces opens the others at each tick.
    private const int KeptFilesMax = 512;

    private readonly byte[] path;
    private readonly int rootBytes;
    private readonly bool isKernels;
    private byte[] buffer = new byte[StartBytes];
    private int keptCount;

    /// <summary>Reads under a root.</summary>
    /// <param name="root">The folder that stands for /proc or /sys.</param>
    public ProcFs(string root = "/proc")
    {
        Root = root;
        // Elsewhere are plain files, and one that was deleted reads on where it was kept open.
        isKernels = root is "/proc" or "/sys";
        rootBytes = Encoding.UTF8.GetByteCount(root);
        path = new byte[rootBytes + RelativePathBytesMax + 2];
        Encoding.UTF8.GetBytes(root, path);
    }

    /// <summary>The folder that stands for /proc.</summary>
    public string Root { get; }

    /// <summary>The name of a file under the root, for messages.</summary>
    /// <param name="file">Its relative path.</param>
    public string NameOf(ReadOnlySpan<byte> file) => $"{Root}/{Encoding.UTF8.GetString(file)}";

    /// <summary>Reads a whole file.</summary>
    /// <param name="file">Its path relative to the root.</param>
    /// <param name="text">Its bytes, until the next read; empty after an error.</param>
    /// <returns>0, or the error number; <see cref="Libc.TooLarge"/> above <see cref="FileBytesMax"/>.</returns>
    public int ReadWhole(ReadOnlySpan<byte> file, out ReadOnlySpan<byte> text)
    {
        return SetFile(file) ? Read(isWhole: true, out text) : TooLong(out text);
    }

    /// <summary>Reads the first <see cref="StartBytes"/> of a file with a single read(2).</summary>
    /// <param name="file">Its path relative to the root.</param>
    /// <param name="text">Its bytes, until the next read; empty after an error.</param>
    /// <returns>0, or the error number.</returns>
    /// <remarks>The kernel makes these files in one piece, so one read gets all that fits; asking again for the end of file would only cost a call.</remarks>
    public int ReadStart(ReadOnlySpan<byte> file, out ReadOnlySpan<byte> text)
    {
        return SetFile(file) ? Read(isWhole: false, out text) : TooLong(out text);
    }

    /// <summary>Reads the start of one process's file, as <see cref="ReadStart(ReadOnlySpan{byte}, out ReadOnlySpan{byte})"/> does.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="file">The file's name in the process's folder.</param>
    /// <param name="text">Its bytes, until the next read; empty after an error.</param>
    /// <returns>0, or the error number; <see cref="Libc.NotFound"/> or <see cref="Libc.NoSuchProcess"/> when the process is gone.</returns>
    public int ReadStart(int pid, ReadOnlySpan<byte> file, out ReadOnlySpan<byte> text)
    {
        SetFile(pid, file);
        return Read(isWhole: false, out text);
    }

    /// <summary>Reads one process's file, which the kernel makes in one piece, and which may stay open until the next tick.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="file">The file's name in the process's folder.</param>
    /// <param name="descriptor">The open file, or -1; the caller's to keep and to <see cref="Release"/>. Of a process that has ended it gives nothing, also when another has got its id.</param>
    /// <param name="keeps">Whether it is to stay open.</param>
    /// <param name="text">Its bytes, until the next read; empty after an error.</param>
    /// <returns>0, or the error number; <see cref="Libc.NotFound"/> or <see cref="Libc.NoSuchProcess"/> when the process is gone.</returns>
    public int ReadKept(int pid, ReadOnlySpan<byte> file, ref int descriptor, bool keeps, out ReadOnlySpan<byte> text)
    {
        if (TryReadOpen(ref descriptor, isOneRead: true, out text))
        {
            return 0;
        }

        SetFile(pid, file);
        return OpenAndRead(ref descriptor, isOneRead: true, keeps, out text);
    }

    /// <summary>Begins listing the processes.</summary>
    /// <param name="directory">The listing, to be disposed of; empty after an error.</param>
    /// <returns>0, or the error number.</returns>
    public int OpenProcesses(out ProcDirectory directory)
    {
        var errno = Open(default, out var root);
        directory = new ProcDirectory(root);
        return errno;
    }

    /// <summary>Begins listing a folder.</summary>
    /// <param name="folder">Its path relative to the root.</param>
    /// <param name="directory">The listing, to be disposed of; empty after an error.</param>
    /// <returns>0, or the error number.</returns>
    public int Open(ReadOnlySpan<byte> folder, out HostDirectory directory)
    {
        directory = default;
        if (!SetFile(folder))
        {
            return Libc.NameTooLong;
        }

        fixed (byte* name = path)
        {
            return HostDirectory.Open(name, out directory);
        }
    }

    /// <summary>Reads a file that may stay open until the next tick.</summary>
    /// <param name="file">Its path relative to the root.</param>
    /// <param name="descriptor">The open file, or -1; the caller's to keep and to <see cref="Release"/>.</param>
    /// <param name="isOneRead">Whether the kernel makes the file in one piece, so that one read gets all.</param>
    /// <param name="text">Its bytes, until the next read; empty after an error.</param>
    /// <returns>0, or the error number.</returns>
    public int ReadKept(ReadOnlySpan<byte> file, ref int descriptor, bool isOneRead, out ReadOnlySpan<byte> text)
    {
        if (TryReadOpen(ref descriptor, isOneRead, out text))
        {
            return 0;
        }

        return SetFile(file) ? OpenAndRead(ref descriptor, isOneRead, keeps: true, out text) : Libc.NameTooLong;
    }

    /// <summary>Closes a file that <c>ReadKept</c> left open.</summary>
    public void Release(ref int descriptor)
    {
        if (descriptor >= 0)
        {
            _ = Libc.Close(descriptor); // read only: there is nothing that a failing close could lose
            descriptor = -1;
            keptCount--;
        }
    }

    private bool TryReadOpen(ref int descriptor, bool isOneRead, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (descriptor < 0)
        {
            return false;
        }

        if (ReadAll(descriptor, isOneRead, out var length) == 0)
        {
            text = buffer.AsSpan(0, length);
            return true;
        }

        // A device that was taken out and put in again has another file under the same name; so has a process with the id of one that ended.
        Release(ref descriptor);
        return false;
    }

    private int OpenAndRead(ref int descriptor, bool isOneRead, bool keeps, out ReadOnlySpan<byte> text)
    {
        text = default;
        var errno = OpenFile(out var opened);
        if (errno != 0)
        {
            return errno;
        }

        errno = ReadAll(opened, isOneRead, out var length);
        if (errno == 0 && keeps && isKernels && keptCount < KeptFilesMax)
        {
            descriptor = opened;
            keptCount++;
        }
        else
        {
            _ = Libc.Close(opened);
        }

        text = errno == 0 ? buffer.AsSpan(0, length) : default;
        return errno;
    }

    private static int TooLong(out ReadOnlySpan<byte> text)
    {
        text = default;
        return Libc.NameTooLong;
    }

    private void SetFile(int pid, ReadOnlySpan<byte> file)
    {
        var tail = path.AsSpan(rootBytes);
        tail[0] = (byte)'/';
        Utf8Formatter.TryFormat(pid, tail[1..], out var digits);
        tail[digits + 1] = (byte)'/';
        file.CopyTo(tail[(digits + 2)..]);
        tail[digits + 2 + file.Length] = 0;
    }

    private bool SetFile(ReadOnlySpan<byte> file)
    {
        if (file.Length > RelativePathBytesMax)
        {
            return false;
        }

        var tail = path.AsSpan(rootBytes);
        tail[0] = (byte)'/';
        file.CopyTo(tail[1..]);
        tail[file.Length + 1] = 0;
        return true;
    }

    private int Read(bool isWhole, out ReadOnlySpan<byte> text)
    {
        text = default;
        var errno = OpenFile(out var descriptor);
        if (errno != 0)
        {
            return errno;
        }

        errno = isWhole ? ReadAll(descriptor, isOneRead: false, out var length) : ReadOnce(descriptor, 0, StartBytes, out length);
        _ = Libc.Close(descriptor); // read only: there is nothing that a failing close could lose
        if (errno == 0)
        {
            text = buffer.AsSpan(0, length);
        }

        return errno;
    }

    private int OpenFile(out int descriptor)
    {
        fixed (byte* name = path)
        {
            do
            {
                descriptor = Libc.Open(name, Libc.OpenReadOnly);
            }
            while (descriptor < 0 && Marshal.GetLastPInvokeError() == Libc.Interrupted);
        }

        return descriptor < 0 ? Marshal.GetLastPInvokeError() : 0;
    }

    private int ReadAll(int descriptor, bool isOneRead, out int length)
    {
        length = 0;
        while (true)
        {
            if (length == buffer.Length)
            {
                if (length >= FileBytesMax)
                {
                    return Libc.TooLarge;
                }

                Array.Resize(ref buffer, buffer.Length * 2);
            }

            var room = buffer.Length - length;
            var errno = ReadOnce(descriptor, length, room, out var count);
            if (errno != 0 || count == 0)
            {
                return errno;
            }

            length += count;
            if (isOneRead && count < room)
            {
                return 0;
            }
        }
    }

    // At an offset, so that a file that stays open is made anew by each first read.
    private int ReadOnce(int descriptor, int offset, int count, out int length)
    {
        fixed (byte* at = &buffer[offset])
        {
            while (true)
            {
                var got = Libc.ReadAt(descriptor, at, count, offset);
                if (got >= 0)
                {
                    length = (int)got;
                    return 0;
                }

                var errno = Marshal.GetLastPInvokeError();
                if (errno != Libc.Interrupted)
                {
                    length = 0;
                    return errno;
                }
            }
        }
    }
}
