using Lm.Platform.Files;

namespace Lm.Agent.LogTail;

/// <summary>A file that stands beside a log file, or beside what its path leads to: where rotation puts things.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Facts">What it is like.</param>
/// <param name="IsRotation">Whether its name says that it had the log file's before, or is a copy of it.</param>
internal sealed record Neighbour(string Path, FileFacts Facts, bool IsRotation)
{
    // A rotation takes far less time than a look: the second one sees the end of what the first one met.
    private const int LooksMax = 8;

    /// <summary>When it was made, nanoseconds since 1970; when it was last written to where the file system does not say.</summary>
    public long BornAt => Facts.BornAtNanoseconds > 0 ? Facts.BornAtNanoseconds : Facts.ModifiedAt.Value * 1_000_000;

    /// <summary>The regular files beside a path, compressed ones left out. Names that change while they are looked at are looked at again, so that a file
    /// that moves from one name to the next is not missed under both.</summary>
    /// <param name="path">The log file's path; there may be nothing at it now.</param>
    /// <param name="rotationsOnly">Whether only those are wanted whose name says that they are rotations of it.</param>
    public static List<Neighbour> Of(string path, bool rotationsOnly)
    {
        var places = PlacesOf(path);
        var found = Look(places, rotationsOnly);
        for (var looks = 1; looks < LooksMax; looks++)
        {
            var again = Look(places, rotationsOnly);
            if (again.Count == found.Count && again.TrueForAll(each => found.Exists(other => other.Path == each.Path && other.Facts.Identity == each.Facts.Identity)))
            {
                return again;
            }

            found = again;
        }

        return found;
    }

    /// <summary>Opens the file of that identity, under whatever name it has.</summary>
    /// <param name="hint">Where it may be; null where nothing is known.</param>
    /// <param name="path">The path that it was followed under.</param>
    /// <param name="identity">Which file.</param>
    public static FollowedFile? Open(string? hint, string path, FileIdentity identity)
    {
        if (hint is not null && OpenAt(hint, identity) is { } there)
        {
            return there;
        }

        for (var looks = 0; looks < LooksMax; looks++)
        {
            var found = Of(path, rotationsOnly: false).Find(each => each.Facts.Identity == identity);
            if (found is null)
            {
                return null;
            }

            if (OpenAt(found.Path, identity) is { } file)
            {
                return file;
            }
        }

        return null;
    }

    private static FollowedFile? OpenAt(string path, FileIdentity identity)
    {
        var file = FollowedFile.TryOpen(path, out _);
        if (file is null || (file.TryLook(out var facts) && facts.Identity == identity))
        {
            return file;
        }

        file.Dispose();
        return null;
    }

    private static List<Neighbour> Look(List<(string Directory, string Name)> places, bool rotationsOnly)
    {
        var found = new List<Neighbour>();
        foreach (var (directory, name) in places)
        {
            foreach (var other in NamesIn(directory))
            {
                var isRotation = RotatedName.IsRotationOf(other, name);
                var at = System.IO.Path.Combine(directory, other);
                if ((isRotation || !rotationsOnly) && !RotatedName.IsCompressed(other) && FollowedFile.TryLookAt(at, out var facts) && facts.IsRegular)
                {
                    found.Add(new Neighbour(at, facts, isRotation));
                }
            }
        }

        return found;
    }

    /// <summary>The path's own place, and that of the file which a symbolic link there leads to.</summary>
    private static List<(string Directory, string Name)> PlacesOf(string path)
    {
        var places = new List<(string, string)> { (System.IO.Path.GetDirectoryName(path)!, System.IO.Path.GetFileName(path)) };
        try
        {
            if (File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName is { } target && System.IO.Path.GetDirectoryName(target) is { } directory)
            {
                places.Add((directory, System.IO.Path.GetFileName(target)));
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Nothing there, or links that lead round in a circle.
        }

        return places;
    }

    private static string[] NamesIn(string directory)
    {
        try
        {
            return [.. Directory.EnumerateFiles(directory).Select(path => System.IO.Path.GetFileName(path))];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
