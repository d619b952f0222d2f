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
    private readonly List<Found<T>> found = [];

    public FrameScanner(SearchTerms terms, ILineStage<T> stage)
    {
        (this.terms, this.stage) = (terms, stage);
        lines = new LineReader(new StreamTexts(terms.Scan.Stream));
    }

    /// <summary>Looks through a frame.</summary>
    /// <returns>What was found, in the order of the search; null when the frame is damaged.</returns>
    public FrameHits<T>? Scan(FileInUse file, FrameRef frame, in KeyRange range, LogScanStatistics statistics, CancellationToken cancellationToken)
    {
        if (frame.Raw is null && !frames.TryRead(file.Handle, frame.Info, frame.Stored))
        {
            return null;
        }

        found.Clear();
        var heldBytes = 0L;
        var looked = 0;
        if (!TryScan(frame.Raw ?? frames.Raw, frame.Info.RawSize, range, ref heldBytes, ref looked, cancellationToken))
        {
            return null;
        }

        statistics.CountRead(frame.Info.RawSize, looked);
        Sort();
        return new FrameHits<T>([.. found], heldBytes);
    }

    private bool TryScan(byte[] frame, int length, in KeyRange range, ref long heldBytes, ref int looked, CancellationToken cancellationToken)
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
            if (end < 0 || !TryLook(frame, at, end, range, ref heldBytes, ref looked))
            {
                return false;
            }

            at += end + 1;
        }

        return true;
    }

    // False: it is no line.
    private bool TryLook(byte[] frame, int start, int length, in KeyRange range, ref long heldBytes, ref int looked)
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
            found.Add(new Found<T>(key, taken));
            heldBytes += length + Found<T>.OverheadBytes;
        }

        return true;
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
internal readonly record struct Found<T>(LogKey Key, T Value)
{
    /// <summary>Bytes in memory beside those of the line.</summary>
    public const int OverheadBytes = 128;
}

/// <summary>What was found in a frame.</summary>
/// <param name="Lines">In the order of the search.</param>
/// <param name="HeldBytes">Bytes in memory, about.</param>
internal sealed record FrameHits<T>(Found<T>[] Lines, long HeldBytes);

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
