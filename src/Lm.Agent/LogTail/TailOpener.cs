using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Platform;
using Lm.Platform.Files;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.LogTail;

/// <summary>Opens the files of one input, and dates what is known of them.</summary>
internal sealed class TailOpener(InputCounters counters, TimeProvider time, ILogger logger)
{
    // How far back the start of a line that is being written is looked for.
    private const long LastLineBytesMax = 1 << 20;

    private const int NoSuchFile = 2; // ENOENT

    private readonly HashSet<string> unreadable = new(StringComparer.Ordinal); // told already

    /// <summary>Nanoseconds since 1970.</summary>
    public long Now => (time.GetUtcNow().UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) * TimeSpan.NanosecondsPerTick;

    /// <summary>Opens the file of that identity; null where it is not at that path, or cannot be read, which is told once.</summary>
    public FollowedFile? TryOpen(LogInput input, string path, FileIdentity identity)
    {
        var file = FollowedFile.TryOpen(path, out var error);
        if (file is null)
        {
            if (error != NoSuchFile && unreadable.Count < 1000 && unreadable.Add(path))
            {
                LogTailLog.Unreadable(logger, input.Name, path, System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(error));
            }

            return null;
        }

        unreadable.Remove(path);
        if (file.TryLook(out var facts) && facts.Identity == identity)
        {
            return file;
        }

        file.Dispose(); // renamed between the look and the opening: the next look finds it
        return null;
    }

    /// <summary>A file that is met at its path.</summary>
    /// <param name="input">What follows it.</param>
    /// <param name="path">The path.</param>
    /// <param name="file">The file, open.</param>
    /// <param name="facts">What it is like.</param>
    /// <param name="isFirst">Whether the input is followed for the first time: its settings say where to begin.</param>
    public FileTail Met(LogInput input, string path, FollowedFile file, in FileFacts facts, bool isFirst)
    {
        var tail = new FileTail(input, path, file, facts, counters)
        {
            MetAt = isFirst || facts.BornAtNanoseconds == 0 ? Math.Max(Now, facts.BornAtNanoseconds) : facts.BornAtNanoseconds,
            GrewAt = GrewAt(facts),
        };
        if (isFirst && input.StartAtEnd)
        {
            var end = FindLastLineEnd(file, facts.SizeBytes);
            tail.GoOnFrom(end, FileFingerprint.Of(file, end));
        }

        return tail;
    }

    /// <summary>A file that had a path's name before, or is a copy of what had.</summary>
    /// <param name="input">What follows it.</param>
    /// <param name="path">The path that it had, or whose file it is a copy of.</param>
    /// <param name="file">The file, open.</param>
    /// <param name="found">Where it is now.</param>
    public FileTail Rotated(LogInput input, string path, FollowedFile file, Neighbour found) =>
        new(input, path, file, found.Facts, counters) { MetAt = found.BornAt, GrewAt = GrewAt(found.Facts), IsDetached = true };

    /// <summary>The file that an offset is of, by its identity, under whatever name it has now; null where it is gone.</summary>
    /// <param name="input">What follows it.</param>
    /// <param name="offset">The offset.</param>
    /// <param name="hint">Where it may be; null where no name that the input looks for leads to it.</param>
    public FileTail? Reopen(LogInput input, TailOffset offset, string? hint)
    {
        var file = Neighbour.Open(hint, offset.Text, offset.Identity);
        return file is not null && file.TryLook(out var facts)
            ? new FileTail(input, offset.Text, file, facts, counters) { MetAt = offset.MetAt, GrewAt = GrewAt(facts), IsDetached = hint is null }
            : null;
    }

    /// <summary>When a file last grew, by the clock's timestamps: it may have been quiet for long before it was met.</summary>
    private long GrewAt(in FileFacts facts)
    {
        var quietFor = UnixMillis.Now(time) - facts.ModifiedAt;
        return time.GetTimestamp() - (long)(Math.Max(0, quietFor.TotalSeconds) * time.TimestampFrequency);
    }

    /// <summary>Where the last complete line of a file ends, near its end: a line that is being written belongs to what comes.</summary>
    private static long FindLastLineEnd(FollowedFile file, long size)
    {
        Span<byte> buffer = stackalloc byte[4096];
        var end = size;
        while (end > 0 && size - end < LastLineBytesMax)
        {
            var part = buffer[..(int)Math.Min(end, buffer.Length)];
            end -= part.Length;
            var count = Math.Max(0, file.Read(end, part));
            if (part[..count].LastIndexOf((byte)'\n') is >= 0 and var last)
            {
                return end + last + 1;
            }
        }

        return end > 0 ? size : 0;
    }
}
