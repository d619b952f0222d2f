using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text;

namespace Lm.Agent.HostMetrics;

/// <summary>Reads files of /proc, under a root that tests can move, into one buffer that is used again and again.</summary>
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

    // "/" + ten digits + "/" + the longest file name below + NUL, with room to spare.
    private const int RelativePathBytesMax = 64;

    private readonly byte[] path;
    private readonly int rootBytes;
    private byte[] buffer = new byte[StartBytes];

    /// <summary>Reads under a root.</summary>
    /// <param name="root">The folder that stands for /proc.</param>
    public ProcFs(string root = "/proc")
    {
        Root = root;
        rootBytes = Encoding.UTF8.GetByteCount(root);
        path = new byte[rootBytes + RelativePathBytesMax];
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
        SetFile(file);
        return Read(isWhole: true, out text);
    }

    /// <summary>Reads the first <see cref="StartBytes"/> of a file with a single read(2).</summary>
    /// <param name="file">Its path relative to the root.</param>
    /// <param name="text">Its bytes, until the next read; empty after an error.</param>
    /// <returns>0, or the error number.</returns>
    /// <remarks>The kernel makes these files in one piece, so one read gets all that fits; asking again for the end of file would only cost a call.</remarks>
    public int ReadStart(ReadOnlySpan<byte> file, out ReadOnlySpan<byte> text)
    {
        SetFile(file);
        return Read(isWhole: false, out text);
    }

    /// <summary>Reads the start of one process's file, as <see cref="ReadStart(ReadOnlySpan{byte}, out ReadOnlySpan{byte})"/> does.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="file">The file's name in the process's folder.</param>
    /// <param name="text">Its bytes, until the next read; empty after an error.</param>
    /// <returns>0, or the error number; <see cref="Libc.NotFound"/> or <see cref="Libc.NoSuchProcess"/> when the process is gone.</returns>
    public int ReadStart(int pid, ReadOnlySpan<byte> file, out ReadOnlySpan<byte> text)
    {
        var tail = path.AsSpan(rootBytes);
        tail[0] = (byte)'/';
        Utf8Formatter.TryFormat(pid, tail[1..], out var digits);
        tail[digits + 1] = (byte)'/';
        file.CopyTo(tail[(digits + 2)..]);
        tail[digits + 2 + file.Length] = 0;
        return Read(isWhole: false, out text);
    }

    /// <summary>Begins listing the processes.</summary>
    /// <param name="directory">The listing, to be disposed of; empty after an error.</param>
    /// <returns>0, or the error number.</returns>
    public int OpenProcesses(out ProcDirectory directory)
    {
        path[rootBytes] = 0;
        fixed (byte* name = path)
        {
            return ProcDirectory.Open(name, out directory);
        }
    }

    private void SetFile(ReadOnlySpan<byte> file)
    {
        var tail = path.AsSpan(rootBytes);
        tail[0] = (byte)'/';
        file.CopyTo(tail[1..]);
        tail[file.Length + 1] = 0;
    }

    private int Read(bool isWhole, out ReadOnlySpan<byte> text)
    {
        text = default;
        int descriptor;
        fixed (byte* name = path)
        {
            do
            {
                descriptor = Libc.Open(name, Libc.OpenReadOnly);
            }
            while (descriptor < 0 && Marshal.GetLastPInvokeError() == Libc.Interrupted);
        }

        if (descriptor < 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        var errno = isWhole ? ReadToEnd(descriptor, out var length) : ReadOnce(descriptor, 0, StartBytes, out length);
        _ = Libc.Close(descriptor); // read only: there is nothing that a failing close could lose
        if (errno == 0)
        {
            text = buffer.AsSpan(0, length);
        }

        return errno;
    }

    private int ReadToEnd(int descriptor, out int length)
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

            var errno = ReadOnce(descriptor, length, buffer.Length - length, out var count);
            if (errno != 0 || count == 0)
            {
                return errno;
            }

            length += count;
        }
    }

    private int ReadOnce(int descriptor, int offset, int count, out int length)
    {
        fixed (byte* at = &buffer[offset])
        {
            while (true)
            {
                var got = Libc.Read(descriptor, at, count);
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
