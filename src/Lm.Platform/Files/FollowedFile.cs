using System.Runtime.InteropServices;

namespace Lm.Platform.Files;

/// <summary>A file of somebody else's that is read while it grows, is renamed, truncated or deleted. Never waits: a pipe or device is not opened.</summary>
/// <remarks>Source: open(2), pread(2), statx(2). Failures are error numbers, not exceptions: that a file goes away is nothing unusual here.</remarks>
public sealed unsafe class FollowedFile : IDisposable
{
    private readonly Descriptor descriptor;

    private FollowedFile(string path, Descriptor descriptor) => (Path, this.descriptor) = (path, descriptor);

    /// <summary>The path it was opened by; it may have another name by now.</summary>
    public string Path { get; }

    /// <summary>A path that leads to this very file for as long as it is open, whatever its name is: for a watch.</summary>
    public string DescriptorPath => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/proc/self/fd/{(int)descriptor.DangerousGetHandle()}");

    /// <summary>Opens a file for reading.</summary>
    /// <param name="path">Its absolute path; symbolic links are followed.</param>
    /// <param name="error">The error number when the result is null.</param>
    public static FollowedFile? TryOpen(string path, out int error)
    {
        const int NonBlocking = 0x800;
        const int NoTerminal = 0x100;
        while (true)
        {
            var number = Libc.Open(path, Libc.OpenReadOnly | Libc.OpenCloseOnExec | NonBlocking | NoTerminal, 0);
            if (number >= 0)
            {
                error = 0;
                return new FollowedFile(path, new Descriptor(number));
            }

            error = Marshal.GetLastPInvokeError();
            if (error != Libc.Interrupted)
            {
                return null;
            }
        }
    }

    /// <summary>What stands at a path now, symbolic links followed.</summary>
    /// <returns>False when nothing does, or it cannot be looked at.</returns>
    public static bool TryLookAt(string path, out FileFacts facts)
    {
        var ok = Libc.Stat(Libc.AtCurrentDirectory, path, 0, Libc.StatxBasicAndBirth, out var found) == 0;
        facts = ok ? FactsOf(found) : default;
        return ok;
    }

    /// <summary>What stands at a path now, symbolic links not followed: they are neither file nor directory.</summary>
    /// <returns>False when nothing does, or it cannot be looked at.</returns>
    public static bool TryLookAtItself(string path, out FileFacts facts)
    {
        const int NoFollow = 0x100;
        var ok = Libc.Stat(Libc.AtCurrentDirectory, path, NoFollow, Libc.StatxBasicAndBirth, out var found) == 0;
        facts = ok ? FactsOf(found) : default;
        return ok;
    }

    /// <summary>What the open file is like now.</summary>
    public bool TryLook(out FileFacts facts)
    {
        const int EmptyPath = 0x1000;
        var ok = Libc.StatOpen(descriptor, "", EmptyPath, Libc.StatxBasicAndBirth, out var found) == 0;
        facts = ok ? FactsOf(found) : default;
        return ok;
    }

    /// <summary>Reads at an offset until the buffer is full or the file ends.</summary>
    /// <returns>Bytes read; -1 when the file cannot be read.</returns>
    public int Read(long offset, Span<byte> buffer)
    {
        var done = 0;
        fixed (byte* start = buffer)
        {
            while (done < buffer.Length)
            {
                var count = Libc.ReadAt(descriptor, start + done, (nuint)(buffer.Length - done), offset + done);
                if (count > 0)
                {
                    done += (int)count;
                }
                else if (count == 0)
                {
                    break;
                }
                else if (!Libc.WasInterrupted())
                {
                    return done > 0 ? done : -1;
                }
            }
        }

        return done;
    }

    /// <inheritdoc/>
    public void Dispose() => descriptor.Dispose();

    private static FileFacts FactsOf(in Libc.StatBuffer found) => new()
    {
        Identity = new FileIdentity(PhysicalFileSystem.DeviceNumber(found.DeviceMajor, found.DeviceMinor), found.Inode),
        IsRegular = (found.Mode & Libc.ModeKind) == Libc.ModeRegular,
        IsDirectory = (found.Mode & Libc.ModeKind) == Libc.ModeDirectory,
        SizeBytes = (long)found.Size,
        LinkCount = found.LinkCount,
        Permissions = (UnixFileMode)(found.Mode & ~Libc.ModeKind),
        ModifiedAt = new UnixMillis((found.ModifiedSeconds * 1000) + (found.ModifiedNanoseconds / 1_000_000)),
        BornAtNanoseconds = (found.Mask & Libc.StatxBirth) == 0 ? 0 : (found.BornSeconds * 1_000_000_000) + found.BornNanoseconds,
    };
}

/// <summary>What a file is like.</summary>
public readonly record struct FileFacts
{
    /// <summary>Which file it is.</summary>
    public FileIdentity Identity { get; init; }

    /// <summary>Whether it is a regular file.</summary>
    public bool IsRegular { get; init; }

    /// <summary>Whether it is a directory.</summary>
    public bool IsDirectory { get; init; }

    /// <summary>Its length, bytes.</summary>
    public long SizeBytes { get; init; }

    /// <summary>How many names it has; 0 once it is deleted.</summary>
    public uint LinkCount { get; init; }

    /// <summary>Who may do what.</summary>
    public UnixFileMode Permissions { get; init; }

    /// <summary>When its content last changed.</summary>
    public UnixMillis ModifiedAt { get; init; }

    /// <summary>When it was made, nanoseconds since 1970; 0 where the file system does not say.</summary>
    public long BornAtNanoseconds { get; init; }
}
