using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Lm.LoadDriver;

/// <summary>A log file that numbered lines are written to, and one way of rotating it.</summary>
/// <remarks>
/// A line is <c>STREAM NUMBER PADDING</c>; a write may end within a line. What each way waits for before it rotates is what a reader needs to have a
/// chance, and no more:
/// all wait until one line of theirs was taken, because what was rotated before an agent first looked is not what it was told to follow;
/// renaming and copying wait for nothing else: what was written is in a file with another name for several rotations more;
/// compressing (a rotation late, as logrotate's delaycompress) waits until what is compressed was taken;
/// truncating without a copy and deleting wait until all of the file was taken, because nothing is left of it;
/// a symbolic link that is pointed elsewhere waits until something of the file that it leads to was taken, because nobody who was away meanwhile could know
/// that there was a file in between.
/// </remarks>
internal sealed class RotatingLog(string folder, RotationScheme scheme, string name) : IDisposable
{
    private const int KeptRotations = 8;

    private readonly string path = scheme switch
    {
        RotationScheme.Glob => Path.Combine(folder, "glob", name + ".log"),
        _ => Path.Combine(folder, name + ".log"),
    };

    private AppendOnlyFile? file;
    private byte[] unfinished = [];
    private long beforeRotation; // lines written when it was rotated last
    private ulong lastInode;

    public string Name => name;

    public RotationScheme Scheme => scheme;

    /// <summary>Lines written.</summary>
    public long Written { get; private set; }

    /// <summary>Times that it was rotated.</summary>
    public int Rotations { get; private set; }

    /// <summary>Times that the file in its place had the inode of the one before.</summary>
    public int SameInodes { get; private set; }

    /// <summary>When it is to be rotated next.</summary>
    public long DueAt { get; set; }

    /// <summary>Whether it waits for what it was told to wait for, and is not written to.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>Whether it is never written to again.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Writes lines; the last one's end may come with the next ones.</summary>
    public void Write(int count, Random random)
    {
        if (count <= 0)
        {
            return;
        }

        var text = new StringBuilder();
        for (var i = 0; i < count; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{name} {++Written} ").Append('x', (int)(Written % 60)).Append('\n');
        }

        byte[] bytes = [.. unfinished, .. Encoding.ASCII.GetBytes(text.ToString())];
        var whole = bytes.Length - (random.Next(3) == 0 ? random.Next(Math.Min(bytes.Length, 40)) : 0);
        unfinished = bytes[whole..];
        (file ??= Open()).Write(bytes.AsSpan(0, whole));
    }

    /// <summary>Writes what was held back of the last line.</summary>
    public void Finish()
    {
        if (unfinished.Length > 0)
        {
            (file ??= Open()).Write(unfinished);
            unfinished = [];
        }
    }

    /// <summary>Rotates, or begins to wait.</summary>
    /// <param name="arrived">Lines of it that arrived.</param>
    /// <param name="isReaderDown">Whether the agent is known not to run.</param>
    /// <param name="random">Chance.</param>
    public void Rotate(long arrived, bool isReaderDown, Random random)
    {
        var neededLines = scheme switch
        {
            RotationScheme.Rename or RotationScheme.CopyTruncate => 1,
            RotationScheme.Compress => Math.Max(1, beforeRotation),
            RotationScheme.Link => Math.Min(beforeRotation + 1, Written),
            _ => Written,
        };
        if (scheme is not RotationScheme.Rename)
        {
            Finish(); // only who holds the file open can finish a line behind its rotation
        }

        // An inode is used again at once where nobody holds the file open any more: every other time while the agent is down.
        var waitsForSameInode = scheme == RotationScheme.Recreate && Rotations % 2 == 1 && !isReaderDown;
        IsWaiting = arrived < neededLines || waitsForSameInode;
        if (IsWaiting)
        {
            return;
        }

        beforeRotation = Written;
        Rotations++;
        RotateNow(random);
    }

    public void Dispose() => file?.Dispose();

    private void RotateNow(Random random)
    {
        switch (scheme)
        {
            case RotationScheme.Rename:
                ShiftRotations();
                File.Move(path, path + ".1");
                Write(random.Next(200), random); // a program writes on until it is told
                Finish();
                Close();
                break;
            case RotationScheme.Compress:
                Compress();
                File.Move(path, path + ".1");
                Close();
                break;
            case RotationScheme.CopyTruncate:
                ShiftRotations();
                File.Copy(path, path + ".1");
                Truncate(path);
                break;
            case RotationScheme.Truncate:
                Truncate(path);
                break;
            case RotationScheme.Recreate:
                lastInode = InodeOf(path);
                File.Delete(path);
                Close();
                break;
            case RotationScheme.Link:
                Close();
                break;
            default:
                File.Delete(path);
                Close();
                IsOver = true;
                break;
        }
    }

    private void Close()
    {
        file?.Dispose();
        file = null;
    }

    private AppendOnlyFile Open()
    {
        if (scheme == RotationScheme.Link)
        {
            return OpenBehindLink();
        }

        var opened = new AppendOnlyFile(path);
        SameInodes += lastInode != 0 && InodeOf(path) == lastInode ? 1 : 0;
        return opened;
    }

    private AppendOnlyFile OpenBehindLink()
    {
        var target = Path.Combine(folder, "behind", string.Create(CultureInfo.InvariantCulture, $"{Rotations}.txt"));
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        var opened = new AppendOnlyFile(target);
        File.CreateSymbolicLink(path + ".new", target);
        File.Move(path + ".new", path, overwrite: true);
        File.Delete(Path.Combine(folder, "behind", string.Create(CultureInfo.InvariantCulture, $"{Rotations - 3}.txt")));
        return opened;
    }

    private void ShiftRotations()
    {
        File.Delete($"{path}.{KeptRotations}");
        for (var i = KeptRotations - 1; i >= 1; i--)
        {
            if (File.Exists($"{path}.{i}"))
            {
                File.Move($"{path}.{i}", $"{path}.{i + 1}");
            }
        }
    }

    private void Compress()
    {
        if (!File.Exists(path + ".1"))
        {
            return;
        }

        using (var from = File.OpenRead(path + ".1"))
        using (var to = new GZipStream(File.Create(path + ".2.gz"), CompressionLevel.Fastest))
        {
            from.CopyTo(to);
        }

        File.Delete(path + ".1");
    }

    private static void Truncate(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        file.SetLength(0);
    }

    private static ulong InodeOf(string path) => Lm.Platform.Files.FollowedFile.TryLookAt(path, out var facts) ? facts.Identity.Inode : 0;
}

/// <summary>A way of rotating.</summary>
internal enum RotationScheme
{
    /// <summary>The file is renamed and another one made in its place; eight are kept.</summary>
    Rename,

    /// <summary>As <see cref="Rename"/>, and the one before is compressed.</summary>
    Compress,

    /// <summary>The file is copied and truncated; eight copies are kept.</summary>
    CopyTruncate,

    /// <summary>The file is truncated.</summary>
    Truncate,

    /// <summary>The file is deleted and made anew.</summary>
    Recreate,

    /// <summary>A symbolic link is pointed to another file.</summary>
    Link,

    /// <summary>The file is deleted and another one of another name comes.</summary>
    Glob,
}
