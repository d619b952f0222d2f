using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Agent.LogTail;

/// <summary>One file that is followed: reads on from its offset, line by line, and notices that it was truncated.</summary>
/// <remarks>
/// Invariants:
/// <see cref="Position"/> stands at a line's start, and every line before it is in a batch, or was excluded;
/// bytes are used only after the file's first bytes were seen to be the same as before, so what a truncated file was filled with again is never taken for the
/// rest of what it had;
/// of a file no more is held in memory than one window: a line that is not complete is read again when it has grown.
/// </remarks>
internal sealed class FileTail(LogInput input, string path, FollowedFile file, FileFacts facts, InputCounters counters) : IDisposable
{
    private readonly LineRecords records = new(path, counters);
    private long scanned; // no line feed from the last incomplete line's start up to here
    private long notedPosition;
    private UnixMillis modifiedAt; // when it was measured last
    private long sizeSeenBefore; // the most before it was measured last, since it was truncated
    private Hole hole;
    private LineGroup? group;

    private delegate bool LineTaker(ReadOnlySpan<byte> line, LineMarks marks);

    /// <summary>What it belongs to.</summary>
    public LogInput Input { get; set; } = input;

    /// <summary>The path at which it was first met, which its records name. Files of one path are its rotations.</summary>
    public string Path => path;

    /// <summary>The open file.</summary>
    public FollowedFile File => file;

    /// <summary>Which file it is.</summary>
    public FileIdentity Identity { get; } = facts.Identity;

    /// <summary>When the file was made, nanoseconds since 1970; 0 where the file system does not say.</summary>
    public long BornAtNanoseconds { get; } = facts.BornAtNanoseconds;

    /// <summary>When it was made or first met; or when the last copy was made before it was truncated. Nanoseconds since 1970.</summary>
    public long MetAt { get; set; }

    /// <summary>When it was last written to by the time it was last seen to hold what was taken of it, nanoseconds since 1970; 0 when it was not. A copy that is
    /// older has nothing of what it is filled with after a truncation.</summary>
    public long IntactAt { get; private set; }

    /// <summary>Bytes that are taken.</summary>
    public long Position { get; private set; }

    /// <summary>What they were; of a file of which nothing is taken, how it began when it was peeked into.</summary>
    public Fingerprint Fingerprint { get; private set; }

    private Fingerprint FingerprintOfTaken => Position == 0 ? default : Fingerprint;

    /// <summary>How far was read, though what begins at <see cref="Position"/> had no end by then.</summary>
    public long SeenUpTo => Math.Max(Position, scanned);

    /// <summary>How far to read in this round.</summary>
    public long Limit { get; set; }

    /// <summary>Its length when it was last looked at.</summary>
    public long SizeBytes { get; private set; } = facts.SizeBytes;

    /// <summary>Whether it was seen before the last measure with more than what is taken: that is lost where it was truncated and nobody has a copy. What
    /// was measured last may be the length of what it was filled with again.</summary>
    public bool HadMore => sizeSeenBefore > Position;

    /// <summary>When it last grew, by the clock's timestamps.</summary>
    public long GrewAt { get; set; }

    /// <summary>Whether no name that the input looks for leads to it any more.</summary>
    public bool IsDetached { get; set; }

    /// <summary>The directory that the file itself is in, where symbolic links lead elsewhere than to its path's; null when that is not known.</summary>
    public string? RealDirectory { get; } = FindRealDirectory(file);

    /// <summary>The number of its watch; -1 for none.</summary>
    public int Watch { get; set; } = -1;

    /// <summary>Its offset as the queue keeps it.</summary>
    public TailOffset Offset => new()
    {
        Kind = TailKind.File,
        Input = Input.Name,
        Text = path,
        Identity = Identity,
        Offset = Position,
        Fingerprint = FingerprintOfTaken,
        MetAt = MetAt,
    };

    /// <summary>Goes on where it was left.</summary>
    public void GoOnFrom(long position, in Fingerprint fingerprint) =>
        (Position, Fingerprint, scanned, notedPosition) = (position, fingerprint, position, position);

    /// <summary>Whether lines were taken since this was asked last.</summary>
    public bool TakeMoved()
    {
        var hasMoved = notedPosition != Position;
        notedPosition = Position;
        return hasMoved;
    }

    /// <summary>Begins anew: the file was truncated.</summary>
    public void Restart()
    {
        GoOnFrom(0, default);
        (Limit, hole, sizeSeenBefore, IntactAt) = (0, default, 0, 0);
    }

    /// <summary>Looks how long it is while nothing can be taken of it: what is truncated meanwhile is known to be lost.</summary>
    public void Sight(long timestamp)
    {
        if (file.TryLook(out var now) && now.SizeBytes > SizeBytes)
        {
            (SizeBytes, GrewAt) = (now.SizeBytes, timestamp);
        }
    }

    /// <summary>Remembers how the file begins, before anything is taken of it: what is read is used only while it begins so.</summary>
    /// <returns>Whether it began otherwise when this was called last.</returns>
    public bool Peek()
    {
        var before = Fingerprint;
        Fingerprint = FileFingerprint.Of(file, Math.Min(Limit, Fingerprint.LengthMax)) with { TailLength = 0, Tail = 0 };
        return Fingerprint != before;
    }

    /// <summary>Looks how long it is now.</summary>
    /// <returns>False when what was taken of it is not there any more.</returns>
    public bool Measure(long timestamp)
    {
        if (!file.TryLook(out var now))
        {
            Limit = Position;
            return true;
        }

        sizeSeenBefore = Math.Max(sizeSeenBefore, SizeBytes);
        if (now.SizeBytes != SizeBytes)
        {
            (SizeBytes, GrewAt) = (now.SizeBytes, timestamp);
        }

        var hasChanged = now.ModifiedAt != modifiedAt;
        modifiedAt = now.ModifiedAt;
        Limit = SizeBytes;

        // As long as before, and written to: truncated and filled again. Where it is longer, reading it finds that out.
        return SizeBytes > Position || (SizeBytes == Position && (!hasChanged || FileFingerprint.Holds(file, Position, Fingerprint)));
    }

    /// <summary>Reads lines up to the limit, or until the batch is full.</summary>
    /// <param name="batch">Takes them.</param>
    /// <param name="window">Memory to read into; lines may be longer.</param>
    /// <param name="facts">Reads times and severities.</param>
    /// <param name="isLast">Whether nothing will be written to the file any more: a last line without its end is taken too.</param>
    /// <param name="closesGroups">Whether records that wait for more lines are taken.</param>
    public TailStep Read(LogBatch batch, Span<byte> window, LineFacts facts, bool isLast, bool closesGroups)
    {
        if (Position == 0 && Limit > 0 && IsCompressed())
        {
            return TailStep.NotText;
        }

        return Input.MultilineStart is null ? ReadLines(batch, window, facts, isLast) : ReadGroups(batch, window, facts, isLast, closesGroups);
    }

    public void Dispose() => file.Dispose();

    private TailStep ReadLines(LogBatch batch, Span<byte> window, LineFacts facts, bool isLast)
    {
        while (Position < Limit)
        {
            var step = Fill(Position, window, out var count);
            if (step != TailStep.AtLimit)
            {
                return step;
            }

            var bytes = (ReadOnlySpan<byte>)window[..count];
            var rest = bytes;
            var isFull = false;
            while (!isFull && TryFindLine(ref rest, out var line))
            {
                isFull = !records.TryAdd(Input, line, Position + bytes.Length - rest.Length, batch, facts, LineMarks.None);
                rest = isFull ? rest : rest[(line.Length + 1)..];
            }

            Advance(bytes[..^rest.Length]);
            if (isFull)
            {
                return TailStep.BatchFull;
            }

            if (rest.Length < bytes.Length)
            {
                continue;
            }

            step = ReadLongLine(rest, batch, facts, isLast);
            if (step != TailStep.Again)
            {
                return step;
            }
        }

        return TailStep.AtLimit;
    }

    /// <summary>Finds the next line, behind a hole where there is one.</summary>
    private bool TryFindLine(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> line)
    {
        rest = hole.Behind(rest);
        var end = rest.IndexOf((byte)'\n');
        line = end < 0 ? default : rest[..end];
        return end >= 0;
    }

    private TailStep ReadLongLine(ReadOnlySpan<byte> start, LogBatch batch, LineFacts facts, bool isLast)
    {
        var step = ReadLong(
            Position, start.Length, batch.Limits.MessageBytesMax, isLast, (line, marks) => records.TryAdd(Input, line, Position, batch, facts, marks), out var next);
        if (step == TailStep.Again)
        {
            SkipTo(next);
        }

        return step;
    }

    /// <summary>A line that does not end within what was read; its end is all there is when the limit is reached.</summary>
    /// <param name="lineAt">Where it begins.</param>
    /// <param name="known">Its first bytes, which hold no line feed.</param>
    /// <param name="bytesMax">The most bytes that a record takes of it.</param>
    /// <param name="isLast">Whether it is taken without its end, too.</param>
    /// <param name="take">Takes it; false when the batch is full.</param>
    /// <param name="next">Where the line behind it begins.</param>
    private TailStep ReadLong(long lineAt, int known, int bytesMax, bool isLast, LineTaker take, out long next)
    {
        next = lineAt;
        var end = lineAt + known < Limit ? FindEnd(lineAt + known) : Limit;
        if (end >= Limit && !isLast)
        {
            return TailStep.AtLimit;
        }

        // At most one character beyond what a record takes: that says that it was longer.
        var length = (int)Math.Min(end - lineAt, (long)bytesMax + 4);
        var rented = System.Buffers.ArrayPool<byte>.Shared.Rent(length);
        try
        {
            var line = rented.AsSpan(0, length);
            if (file.Read(lineAt, line) != length || !FileFingerprint.Holds(file, Position, Fingerprint))
            {
                return TailStep.Truncated;
            }

            if (!take(line, end >= Limit ? LineMarks.Unterminated : LineMarks.None))
            {
                return TailStep.BatchFull;
            }

            next = Math.Min(end + 1, Limit);
            return TailStep.Again;
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Where the line ends whose first bytes hold no line feed; the limit when that is not known yet.</summary>
    private long FindEnd(long from)
    {
        const int StepBytes = 64 << 10;
        var rented = System.Buffers.ArrayPool<byte>.Shared.Rent(StepBytes);
        try
        {
            for (var at = Math.Max(from, scanned); at < Limit;)
            {
                var bytes = rented.AsSpan(0, (int)Math.Min(StepBytes, Limit - at));
                var count = file.Read(at, bytes);
                if (count <= 0)
                {
                    break;
                }

                if (bytes[..count].IndexOf((byte)'\n') is >= 0 and var found)
                {
                    return at + found;
                }

                at += count;
                scanned = at;
            }

            return Limit;
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private TailStep ReadGroups(LogBatch batch, Span<byte> window, LineFacts facts, bool isLast, bool closesGroups)
    {
        group ??= new LineGroup();
        group.Begin(Position, FingerprintOfTaken);
        var at = Position;
        while (at < Limit)
        {
            var step = Fill(at, window, out var count);
            if (step != TailStep.AtLimit)
            {
                return step;
            }

            var bytes = (ReadOnlySpan<byte>)window[..count];
            var text = hole.Behind(bytes);
            if (text.Length < bytes.Length)
            {
                // Nothing goes on behind a hole. It is passed at once, not read again with the lines that follow: it may be a gigabyte.
                if (!TryTakeGroup(batch, facts))
                {
                    return TailStep.BatchFull;
                }

                Advance(bytes[..^text.Length]);
                group.Begin(Position, FingerprintOfTaken);
                at = Position;
                continue;
            }

            var end = bytes.IndexOf((byte)'\n');
            if (end < 0)
            {
                step = ReadLongLineOfGroup(at, bytes, batch, facts, isLast, ref at);
                if (step == TailStep.AtLimit)
                {
                    break;
                }

                if (step != TailStep.Again)
                {
                    return step;
                }

                continue;
            }

            for (; end >= 0 && !Hole.MayBegin(bytes); end = bytes.IndexOf((byte)'\n'))
            {
                if (!TryGather(bytes[..end], bytes[..(end + 1)], batch, facts, LineMarks.None))
                {
                    return TailStep.BatchFull;
                }

                at += end + 1;
                bytes = bytes[(end + 1)..];
            }
        }

        scanned = Math.Max(scanned, at);
        return !closesGroups || TryTakeGroup(batch, facts) ? TailStep.AtLimit : TailStep.BatchFull;
    }

    private TailStep ReadLongLineOfGroup(long lineAt, ReadOnlySpan<byte> start, LogBatch batch, LineFacts facts, bool isLast, ref long at)
    {
        var step = ReadLong(
            lineAt, start.Length, batch.Limits.MessageBytesMax, isLast, (line, marks) => TryGather(line, line, batch, facts, marks), out var next);
        if (step == TailStep.Again)
        {
            at = next;
            group!.SkipTo(at, FileFingerprint.Of(file, at));
        }

        return step;
    }

    /// <summary>Adds a line to the group, or takes the group and begins the next with it.</summary>
    private bool TryGather(ReadOnlySpan<byte> line, ReadOnlySpan<byte> taken, LogBatch batch, LineFacts facts, LineMarks marks)
    {
        var text = LineText.WithoutReturn(line);
        if (!group!.IsEmpty && (Input.MultilineStart!.IsMatch(text) || !group.HasRoomFor(text.Length, batch.Limits.MessageBytesMax)) && !TryTakeGroup(batch, facts))
        {
            return false;
        }

        group.Add(text, taken, marks, batch.Limits.MessageBytesMax);
        return true;
    }

    private bool TryTakeGroup(LogBatch batch, LineFacts facts)
    {
        if (!group!.IsEmpty && !records.TryAdd(Input, group.Text, Position, batch, facts, group.Marks))
        {
            return false;
        }

        counters.AddBytes(group.End - Position);
        (Position, Fingerprint, scanned) = (group.End, group.EndFingerprint, group.End);
        group.Clear();
        return true;
    }

    /// <summary>Reads and makes sure that the file is the same still.</summary>
    private TailStep Fill(long at, Span<byte> window, out int count)
    {
        count = file.Read(at, window[..(int)Math.Min(window.Length, Limit - at)]);
        if (count < 0)
        {
            return TailStep.Unreadable;
        }

        // After the read: what truncation and rewriting put there before it shows in the first bytes now.
        if (count == 0 || !FileFingerprint.Holds(file, Position, Fingerprint))
        {
            return TailStep.Truncated;
        }

        IntactAt = modifiedAt.Value * 1_000_000;
        return TailStep.AtLimit;
    }

    private void Advance(ReadOnlySpan<byte> taken)
    {
        if (taken.IsEmpty)
        {
            return;
        }

        Fingerprint = FingerprintOfTaken.After(taken);
        Position += taken.Length;
        scanned = Position;
        counters.AddBytes(taken.Length);
    }

    private void SkipTo(long position)
    {
        counters.AddBytes(position - Position);
        (Position, Fingerprint, scanned) = (position, FileFingerprint.Of(file, position), position);
    }

    private bool IsCompressed()
    {
        Span<byte> start = stackalloc byte[16];
        var count = file.Read(0, start);
        return RotatedName.IsCompressed(path) || (count > 0 && RotatedName.HasCompressedContent(start[..count]));
    }

    private static string? FindRealDirectory(FollowedFile file)
    {
        try
        {
            return System.IO.Path.GetDirectoryName(System.IO.File.ResolveLinkTarget(file.DescriptorPath, returnFinalTarget: false)?.FullName);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
