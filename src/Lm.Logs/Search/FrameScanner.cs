using Lm.Logs.Files;
using Lm.Logs.Lines;

namespace Lm.Logs.Search;

/// <summary>Looks through frames for the lines of one search.</summary>
/// <remarks>For one thread at a time.</remarks>
internal sealed class FrameScanner<T>
{
    private const int LinesPerLook = 256; // at whether the search is cancelled

    private readonly SearchTerms terms;
    private readonly ILineStage<T> stage;
    private readonly FrameReader frames = new();
    private readonly LineReader lines;
    private readonly long heldMax;
    private readonly List<Found<T>> found = [];
    private KeyRange range; // of the frame in hand; ends sooner once lines were forgotten
    private LogKey? cut;
    private long heldBytes;
    private int looked;

    /// <summary>For one search.</summary>
    /// <param name="terms">Which lines are wanted.</param>
    /// <param name="stage">What is made of them.</param>
    /// <param name="heldMax">Bytes that the lines of one frame may hold, one line at least.</param>
    public FrameScanner(SearchTerms terms, ILineStage<T> stage, long heldMax)
    {
        (this.terms, this.stage, this.heldMax) = (terms, stage, heldMax);
        lines = new LineReader(new StreamTexts(terms.Scan.Stream));
    }

    /// <summary>Looks through a frame.</summary>
    /// <returns>What was found, in the order of the search; null when the frame is damaged.</returns>
    public FrameHits<T>? Scan(FileInUse file, FrameRef frame, in KeyRange wanted, LogScanStatistics statistics, CancellationToken cancellationToken)
    {
        if (frame.Raw is null && !frames.TryRead(file.Handle, frame.Info, frame.Stored))
        {
            return null;
        }

        (range, cut, heldBytes, looked) = (wanted, null, 0, 0);
        try
        {
            if (!TryScan(frame.Raw ?? frames.Raw, frame.Info.RawSize, cancellationToken))
            {
                return null;
            }

            statistics.CountRead(frame.Info.RawSize, looked);
            Sort();
            return new FrameHits<T>([.. found], heldBytes, cut);
        }
        finally
        {
            found.Clear(); // what is given out must not be held here
        }
    }

    private bool TryScan(byte[] frame, int length, CancellationToken cancellationToken)
    {
        var needle = terms.LongestEscaped;
        var countdown = LinesPerLook;
        for (var at = 0; at < length;)
        {
            var rest = frame.AsSpan(at, length - at);
            if (needle.Length > 0)
            {
                // Whole lines without it are passed over by the fastest search that there is.
                var hit = rest.IndexOf(needle);
                if (hit < 0)
                {
                    break;
                }

                var lineStart = rest[..hit].LastIndexOf((byte)'\n') + 1;
                at += lineStart;
                rest = rest[lineStart..];
            }

            if (--countdown == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                countdown = LinesPerLook;
            }

            var end = rest.IndexOf((byte)'\n');
            if (end < 0 || !TryLook(frame, at, end))
            {
                return false;
            }

            at += end + 1;
        }

        return true;
    }

    // False: it is no line.
    private bool TryLook(byte[] frame, int start, int length)
    {
        if (!lines.TryReadHead(frame.AsSpan(start, length), out var time, out var text))
        {
            return false;
        }

        if (!text.IsWanted || time < terms.Scan.From || time >= terms.Scan.Until)
        {
            return true;
        }

        if (!lines.TryReadRest(frame, start, length, time, text, out var line))
        {
            return false;
        }

        if (!terms.AreIn(line.Body))
        {
            return true;
        }

        var key = new LogKey(time, text.Instance, line.Identity);
        if (!range.Contains(key))
        {
            return true;
        }

        looked++;
        if (stage.TryTake(line, out var taken))
        {
            var size = stage.SizeOf(taken) + Found<T>.OverheadBytes;
            found.Add(new Found<T>(key, taken, size));
            heldBytes += size;
            if (heldBytes > heldMax)
            {
                ForgetLater();
            }
        }

        return true;
    }

    // The later half goes, and so will what comes behind the last that stays: another sweep finds it again.
    private void ForgetLater()
    {
        Sort();
        var kept = (found.Count + 1) / 2;
        found.RemoveRange(kept, found.Count - kept);
        heldBytes = found.Sum(static line => line.Size);
        cut = found[^1].Key;
        range = range with { UpTo = cut };
        if (terms.Scan.IsBackward)
        {
            found.Reverse(); // as they come, for the next to be added behind
        }
    }

    private void Sort()
    {
        if (terms.Scan.IsBackward)
        {
            found.Reverse(); // nearly there: lines of a frame are mostly sorted
        }

        var sign = terms.Scan.IsBackward ? -1 : 1;
        for (var i = 1; i < found.Count; i++)
        {
            if (sign * found[i - 1].Key.CompareTo(found[i].Key) > 0)
            {
                found.Sort((left, right) => sign * left.Key.CompareTo(right.Key));
                return;
            }
        }
    }
}

/// <summary>A line that is wanted.</summary>
/// <param name="Key">Its place.</param>
/// <param name="Value">What the stage made of it.</param>
/// <param name="Size">Bytes in memory, about.</param>
internal readonly record struct Found<T>(LogKey Key, T Value, long Size)
{
    /// <summary>Bytes in memory beside those of what the stage made.</summary>
    public const int OverheadBytes = 128;
}

/// <summary>What was found in a frame.</summary>
/// <param name="Lines">In the order of the search.</param>
/// <param name="HeldBytes">Bytes in memory, about.</param>
/// <param name="Cut">The last line, when those behind it were forgotten for holding too much; null: these are all.</param>
internal sealed record FrameHits<T>(Found<T>[] Lines, long HeldBytes, LogKey? Cut);

/// <summary>Which lines a sweep gives.</summary>
/// <param name="After">Only those behind it, in the order of the search; null: from the first on.</param>
/// <param name="UpTo">None behind it; null: all.</param>
/// <param name="IsBackward">The order of the search.</param>
internal readonly record struct KeyRange(LogKey? After, LogKey? UpTo, bool IsBackward)
{
    /// <summary>Whether a line belongs to it.</summary>
    public bool Contains(in LogKey key) =>
        (After is not { } after || Compare(key, after) > 0) && (UpTo is not { } upTo || Compare(key, upTo) <= 0);

    private int Compare(in LogKey left, in LogKey right) => IsBackward ? right.CompareTo(left) : left.CompareTo(right);
}
