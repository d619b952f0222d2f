using System.Text;
using Lm.Platform.Files;

namespace Lm.ObjectStore;

/// <summary>A file in the folder of a store that holds a random id, so that a folder which is not the one from before, as where its disk is not mounted, is noticed before anything is put into it.</summary>
/// <remarks>The id is made with the first request ever; whoever knows it from an earlier run sets <see cref="Known"/> before. Safe for concurrent use.</remarks>
public sealed class DirectoryMarker
{
    /// <summary>The file's name. It begins with a dot, as no object does.</summary>
    public const string FileName = ".lightmetrics-store";

    private const int SizeMax = 4096;
    private const int NoSuchFile = 2;

    private readonly Lock gate = new(); // guards known, and the making of the file
    private Guid? known;

    /// <summary>The id of the folder that is used; null before the first request ever.</summary>
    public Guid? Known
    {
        get
        {
            lock (gate)
            {
                return known;
            }
        }

        set
        {
            lock (gate)
            {
                known = value;
            }
        }
    }

    /// <summary>Looks whether a folder is the known one; the first one ever becomes it.</summary>
    /// <exception cref="FileSystemException">It is not, or cannot be asked.</exception>
    internal void Check(IFileSystem files, string root)
    {
        lock (gate)
        {
            var path = Path.Combine(root, FileName);
            var found = Read(files, path);
            if (known is { } expected)
            {
                if (found != expected)
                {
                    var what = found is null ? $"there is no {FileName}" : $"{FileName} says {found:N}, {expected:N} is expected";
                    throw new FileSystemException("use", root, NoSuchFile, $"it is not the folder that was used before: {what}. Is its disk mounted?");
                }

                return;
            }

            known = found ?? Make(files, root, path);
        }
    }

    private static Guid Make(IFileSystem files, string root, string path)
    {
        files.CreateDirectory(root);
        var id = Guid.NewGuid();
        AtomicFile.Write(files, path, Encoding.ASCII.GetBytes($"{id:N}\n"));
        return id;
    }

    private static Guid? Read(IFileSystem files, string path)
    {
        var text = AtomicFile.Read(files, path, SizeMax);
        return text is not null && Guid.TryParseExact(Encoding.ASCII.GetString(text).Trim(), "N", out var id) ? id : null;
    }
}
