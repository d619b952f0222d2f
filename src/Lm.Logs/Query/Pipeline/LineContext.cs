using System.Text;
using Lm.Platform;

namespace Lm.Logs.Query.Pipeline;

/// <summary>What the steps of a pipeline share while a line goes through them. For one thread at a time.</summary>
internal sealed class LineContext
{
    /// <summary>Bytes that a template makes at most, unless the line is longer itself.</summary>
    public const int MadeBytesMax = 256 << 10;

    private byte[] made = new byte[1024];
    private byte[] spare = new byte[1024];
    private LogStream? stream;
    private IReadOnlyList<LogField> attributes = [];
    private bool hasLabels;

    /// <summary>The characters of the line as it is now.</summary>
    public Utf16Text Characters { get; } = new();

    /// <summary>When the line is from, milliseconds.</summary>
    public long Time { get; private set; }

    /// <summary>Names of labels.</summary>
    public NameCache Names { get; } = new();

    /// <summary>The line's labels; made when they are first asked for, since most lines fall through a filter before.</summary>
    public LineLabels Labels
    {
        get
        {
            if (!hasLabels)
            {
                hasLabels = true;
                labels.Begin(stream!, attributes);
            }

            return labels;
        }
    }

    private readonly LineLabels labels = new();

    /// <summary>Whether the labels are as the line came with them.</summary>
    public bool HasOwnLabels => !hasLabels || !labels.IsChanged;

    /// <summary>Begins a line.</summary>
    public void Begin(in LogLine line)
    {
        Characters.Forget();
        hasLabels = false;
        stream = line.Stream;
        attributes = line.Attributes;
        Time = line.Time;
    }

    /// <summary>Makes a text the line; the line that was may be part of it.</summary>
    public ReadOnlySpan<byte> Replace(string text)
    {
        (made, spare) = (spare, made);
        var size = Encoding.UTF8.GetMaxByteCount(text.Length);
        Reserve(size);
        var length = Encoding.UTF8.GetBytes(text, made);
        Characters.Forget();
        return made.AsSpan(0, length);
    }

    /// <summary>Makes bytes the line; those of the line that was are allowed.</summary>
    public ReadOnlySpan<byte> Replace(ReadOnlySpan<byte> text)
    {
        (made, spare) = (spare, made);
        Reserve(text.Length);
        text.CopyTo(made);
        Characters.Forget();
        return made.AsSpan(0, text.Length);
    }

    private void Reserve(int size)
    {
        if (made.Length < size || made.Length > MadeBytesMax)
        {
            made = new byte[Math.Max(size, 1024)];
        }
    }
}
