using System.Buffers.Binary;
using System.Text;

namespace Lm.Platform.Files;

/// <summary>The kernel's notices about files and directories.</summary>
/// <remarks>Source: inotify(7). What it says is a hint: notices are lost when too many wait, and for files that another host changes.
/// <see cref="Wait"/> is for one thread; watches may be added and removed by another beside it.</remarks>
public sealed unsafe class Inotify : IDisposable
{
    // About 200 notices with names of common length.
    private const int BufferBytes = 8192;
    private const int HeaderBytes = 16;

    // Some ten thousand notices: whoever takes them comes up for air.
    private const int ReadsMax = 64;

    private readonly Descriptor descriptor;
    private readonly Descriptor wake;
    private readonly byte[] buffer = new byte[BufferBytes];

    private Inotify(Descriptor descriptor, Descriptor wake) => (this.descriptor, this.wake) = (descriptor, wake);

    /// <summary>Whether the last wait handed on all that was there.</summary>
    public bool IsDrained { get; private set; } = true;

    /// <summary>Begins; null when the kernel has none to give.</summary>
    public static Inotify? TryCreate()
    {
        const int CloseOnExec = 0x80000;
        const int NonBlocking = 0x800;
        var number = Libc.InotifyInit(CloseOnExec | NonBlocking);
        if (number < 0)
        {
            return null;
        }

        var descriptor = new Descriptor(number);
        var wake = Libc.EventCounter(0, CloseOnExec | NonBlocking);
        if (wake >= 0)
        {
            return new Inotify(descriptor, new Descriptor(wake));
        }

        descriptor.Dispose();
        return null;
    }

    /// <summary>Watches a file or directory.</summary>
    /// <returns>The watch's number, the same for the same inode; -1 when it could not be added.</returns>
    public int Add(string path, FileNotices notices) => Libc.InotifyAdd(descriptor, path, (uint)notices);

    /// <summary>Ends a watch; nothing when the kernel has done so already.</summary>
    public void Remove(int watch) => _ = Libc.InotifyRemove(descriptor, watch);

    /// <summary>Ends a wait, now or the next one.</summary>
    public void Interrupt()
    {
        var one = 1UL;
        _ = Libc.Write(wake, (byte*)&one, sizeof(ulong));
    }

    /// <summary>Waits until there are notices or <see cref="Interrupt"/> was called, then hands on those that are there, up to some ten thousand.</summary>
    /// <param name="take">Gets each.</param>
    /// <returns>False when it was interrupted.</returns>
    public bool Wait(Action<FileNotice> take)
    {
        const short Readable = 1;
        var polled = stackalloc Libc.Polled[2];
        polled[0] = new Libc.Polled { Number = (int)descriptor.DangerousGetHandle(), Asked = Readable };
        polled[1] = new Libc.Polled { Number = (int)wake.DangerousGetHandle(), Asked = Readable };
        if (Libc.Poll(polled, 2, -1) < 0)
        {
            return true; // interrupted by a signal
        }

        if (polled[1].Found != 0)
        {
            ulong count;
            _ = Libc.Read(wake, (byte*)&count, sizeof(ulong));
            return false;
        }

        Drain(take);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        descriptor.Dispose();
        wake.Dispose();
    }

    private void Drain(Action<FileNotice> take)
    {
        IsDrained = false;
        fixed (byte* start = buffer)
        {
            for (var reads = 0; reads < ReadsMax; reads++)
            {
                var count = Libc.Read(descriptor, start, BufferBytes);
                if (count <= 0)
                {
                    IsDrained = true;
                    return;
                }

                var from = buffer.AsSpan(0, (int)count);
                while (from.Length >= HeaderBytes)
                {
                    var nameBytes = (int)BinaryPrimitives.ReadUInt32LittleEndian(from[12..]);
                    var name = from.Slice(HeaderBytes, nameBytes);
                    var end = name.IndexOf((byte)0);
                    take(new FileNotice(
                        BinaryPrimitives.ReadInt32LittleEndian(from),
                        (FileNotices)BinaryPrimitives.ReadUInt32LittleEndian(from[4..]),
                        BinaryPrimitives.ReadUInt32LittleEndian(from[8..]),
                        nameBytes == 0 ? "" : Encoding.UTF8.GetString(end < 0 ? name : name[..end])));
                    from = from[(HeaderBytes + nameBytes)..];
                }
            }
        }
    }
}

/// <summary>One notice.</summary>
/// <param name="Watch">The watch's number; -1 when notices were lost.</param>
/// <param name="What">What happened.</param>
/// <param name="Cookie">The same for both halves of a move; else 0.</param>
/// <param name="Name">Which entry of a watched directory; empty when it is about the watched file itself.</param>
public readonly record struct FileNotice(int Watch, FileNotices What, uint Cookie, string Name);

/// <summary>What inotify(7) tells of.</summary>
[Flags]
public enum FileNotices
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Content changed.</summary>
    Modified = 0x2,

    /// <summary>Attributes changed, the number of names included.</summary>
    AttributesChanged = 0x4,

    /// <summary>A file that was open for writing was closed.</summary>
    ClosedAfterWriting = 0x8,

    /// <summary>An entry was moved out of the directory.</summary>
    MovedFrom = 0x40,

    /// <summary>An entry was moved into the directory.</summary>
    MovedTo = 0x80,

    /// <summary>An entry was made.</summary>
    Created = 0x100,

    /// <summary>An entry was deleted.</summary>
    Deleted = 0x200,

    /// <summary>The watched thing itself was deleted.</summary>
    SelfDeleted = 0x400,

    /// <summary>The watched thing itself was moved.</summary>
    SelfMoved = 0x800,

    /// <summary>Notices were lost: too many waited.</summary>
    Overflow = 0x4000,

    /// <summary>The watch is over.</summary>
    WatchEnded = 0x8000,

    /// <summary>To ask with: only when the path is a directory.</summary>
    OnlyDirectories = 0x1000000,

    /// <summary>To ask with: a symbolic link is not followed.</summary>
    NoSymbolicLinks = 0x2000000,

    /// <summary>It is about a directory.</summary>
    OfDirectory = 0x40000000,
}
