using Lm.Logs.Files;
using Lm.Logs.Lines;

namespace Lm.Logs.Sealing;

/// <summary>Goes through the lines of a run, one frame in memory at a time.</summary>
/// <remarks>For one thread; used again for another run.</remarks>
/// <param name="texts">The streams, shared by all cursors of a merge.</param>
/// <param name="roomUsual">Bytes of a usual frame's lines.</param>
internal sealed class RunCursor(StreamTexts texts, int roomUsual)
{
    private readonly FrameReader frames = new(roomUsual);
    private readonly LineReader lines = new(texts);
    private SortedRun run = null!;
    private LogKey key;
    private LinePlaces places;
    private int nextFrame;
    private int frameLength;
    private int start;
    private int length;

    /// <summary>The line's place among all.</summary>
    public ref readonly LogKey Key => ref key;

    /// <summary>Its stream.</summary>
    public StreamText Text => places.Text;

    /// <summary>The line as it is stored, its end among it.</summary>
    public ReadOnlySpan<byte> Stored => frames.Raw.AsSpan(start, length + 1);

    /// <summary>Frames, and lines, that cannot be read.</summary>
    public int Damaged { get; private set; }

    /// <summary>Begins a run, before its first line.</summary>
    public void Begin(SortedRun next) => (run, nextFrame, frameLength, start, length) = (next, 0, 0, 0, -1);

    /// <summary>Goes to the next line.</summary>
    /// <returns>False: there is none.</returns>
    /// <exception cref="IOException">A frame cannot be read.</exception>
    public bool MoveNext()
    {
        while (true)
        {
            start += length + 1;
            if (start < frameLength)
            {
                if (TryRead())
                {
                    return true;
                }

                Damaged++;
            }

            if (nextFrame == run.Frames.Count)
            {
                return false;
            }

            OpenFrame(run.Frames[nextFrame++]);
        }
    }

    /// <summary>The line's body as it came.</summary>
    /// <returns>False when it cannot be read.</returns>
    public bool TryReadBody(out ReadOnlySpan<byte> body)
    {
        var isRead = lines.TryReadBody(frames.Raw.AsSpan(start, length), places, out body);
        Damaged += isRead ? 0 : 1;
        return isRead;
    }

    private void OpenFrame(FrameInfo info)
    {
        (frameLength, start, length) = (0, 0, -1);
        if (frames.TryRead(run.File, info, null))
        {
            frameLength = info.RawSize;
        }
        else if (run.IsScratch)
        {
            throw new IOException($"{run.File.Path} at byte {info.Offset}: what was written there a moment ago cannot be read; the lines stand in the open file and are sealed again");
        }
        else
        {
            Damaged++;
        }
    }

    // False: the rest of the frame cannot be told apart.
    private bool TryRead()
    {
        var rest = frames.Raw.AsSpan(start, frameLength - start);
        length = rest.IndexOf((byte)'\n');
        if (length < 0 || !lines.TryReadHead(rest[..length], out var time, out var text) || !LineReader.TryReadPlaces(rest[..length], time, text, out places))
        {
            return false;
        }

        key = new LogKey(time, text.Instance, places.Identity);
        return true;
    }
}
