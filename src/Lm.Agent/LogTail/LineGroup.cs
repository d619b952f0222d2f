using Lm.Agent.Queue;

namespace Lm.Agent.LogTail;

/// <summary>Lines that become one record: joined by line feeds, no longer together than a record may be.</summary>
internal sealed class LineGroup
{
    private byte[] text = [];
    private int length;

    /// <summary>Whether it holds no line.</summary>
    public bool IsEmpty { get; private set; } = true;

    /// <summary>The lines.</summary>
    public ReadOnlySpan<byte> Text => text.AsSpan(0, length);

    /// <summary>What was done to them.</summary>
    public LineMarks Marks { get; private set; }

    /// <summary>Where the next line begins in the file.</summary>
    public long End { get; private set; }

    /// <summary>The file's fingerprint up to there.</summary>
    public Fingerprint EndFingerprint { get; private set; }

    /// <summary>Begins at a place in the file.</summary>
    public void Begin(long position, in Fingerprint fingerprint)
    {
        Clear();
        (End, EndFingerprint) = (position, fingerprint);
    }

    /// <summary>Forgets the lines; the next one begins where they ended.</summary>
    public void Clear() => (length, IsEmpty, Marks) = (0, true, LineMarks.None);

    /// <summary>Whether a line fits; one that does not begins the next record.</summary>
    public bool HasRoomFor(int lineLength, int bytesMax) => length + 1 + lineLength <= bytesMax;

    /// <summary>Adds a line.</summary>
    /// <param name="line">The line.</param>
    /// <param name="taken">Its bytes with the line's end.</param>
    /// <param name="marks">What was done to it.</param>
    /// <param name="bytesMax">The most bytes of a record; more than one beyond are of no use.</param>
    public void Add(ReadOnlySpan<byte> line, ReadOnlySpan<byte> taken, LineMarks marks, int bytesMax)
    {
        line = line[..Math.Min(line.Length, bytesMax + 4)];
        var needed = length + 1 + line.Length;
        if (text.Length < needed)
        {
            Array.Resize(ref text, Math.Max(needed, Math.Min(2 * text.Length, bytesMax + 8)));
        }

        if (!IsEmpty)
        {
            text[length++] = (byte)'\n';
        }

        line.CopyTo(text.AsSpan(length));
        length += line.Length;
        IsEmpty = false;
        Marks |= marks;
        SkipTo(End + taken.Length, EndFingerprint.After(taken));
    }

    /// <summary>Sets where the next line begins.</summary>
    public void SkipTo(long position, in Fingerprint fingerprint) => (End, EndFingerprint) = (position, fingerprint);
}
