using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Lm.Collector.Series;

namespace Lm.Collector.Query;

/// <summary>JSON straight into a response's pipe: no tree, no copy. The caller sees to commas and brackets.</summary>
/// <remarks>Hot: a range query writes millions of samples. Text stays as it is where JSON lets it.</remarks>
/// <param name="response">Where to; nothing was written to it yet.</param>
internal sealed class JsonOutput(HttpResponse response)
{
    private const int BlockBytes = 16 * 1024;

    // Bytes that may gather before they are sent on: a large answer never lies in memory twice.
    private const int FlushBytes = 32 * 1024;

    private static readonly SearchValues<char> NeedEscape = SearchValues.Create(
        [.. Enumerable.Range(0, ' ').Select(code => (char)code), '"', '\\']);

    private static readonly SearchValues<byte> NeedEscapeUtf8 = SearchValues.Create(
        [.. Enumerable.Range(0, ' ').Select(code => (byte)code), (byte)'"', (byte)'\\']);

    private readonly PipeWriter pipe = response.BodyWriter;
    private Memory<byte> block;
    private int used;
    private int gathered;
    private bool isSent; // a part of it

    /// <summary>Writes bytes as they are.</summary>
    public void Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        used += bytes.Length;
    }

    /// <summary>Writes a text in quotes; what is no UTF-16 becomes U+FFFD.</summary>
    public void Text(ReadOnlySpan<char> text)
    {
        Raw("\""u8);
        while (!text.IsEmpty)
        {
            // In pieces, so that no text needs a block of its own size; a surrogate pair is not parted.
            var length = Math.Min(text.Length, 2048);
            length -= length < text.Length && char.IsHighSurrogate(text[length - 1]) ? 1 : 0;
            Piece(text[..length]);
            text = text[length..];
        }

        Raw("\""u8);
    }

    /// <summary>Writes a text of valid UTF-8 in quotes.</summary>
    public void Utf8Text(ReadOnlySpan<byte> text)
    {
        Raw("\""u8);
        while (!text.IsEmpty)
        {
            // In pieces, so that no text needs a block of its own size.
            var plain = text.IndexOfAny(NeedEscapeUtf8);
            plain = Math.Min(plain < 0 ? text.Length : plain, BlockBytes - 6);
            var span = Reserve(plain + 6);
            text[..plain].CopyTo(span);
            used += plain;
            text = text[plain..];
            if (!text.IsEmpty && NeedEscapeUtf8.Contains(text[0]))
            {
                used += Escape((char)text[0], span[plain..]);
                text = text[1..];
            }
        }

        Raw("\""u8);
    }

    /// <summary>Writes a whole number.</summary>
    public void Number(long number)
    {
        number.TryFormat(Reserve(20), out var written, default, CultureInfo.InvariantCulture);
        used += written;
    }

    /// <summary>Writes a finite number as JSON has it.</summary>
    public void Number(double number)
    {
        var span = Reserve(PromNumber.BytesMax); // on its own: it may begin a block, and what is used with it
        used += PromNumber.FormatValue(number, span);
    }

    /// <summary>Writes a time as seconds.</summary>
    public void Time(long milliseconds)
    {
        var span = Reserve(PromNumber.BytesMax);
        used += PromNumber.FormatTime(milliseconds, span);
    }

    /// <summary>Writes <c>[time,"value"]</c> as a scalar result has it: never with an exponent.</summary>
    public void Scalar(long time, double value)
    {
        Raw("["u8);
        Time(time);
        Raw(",\""u8);
        var span = Reserve(PromNumber.PlainBytesMax);
        used += PromNumber.FormatPlain(value, span);
        Raw("\"]"u8);
    }

    /// <summary>Writes <c>[time,"value"]</c>.</summary>
    public void Sample(long time, double value)
    {
        var span = Reserve((2 * PromNumber.BytesMax) + 5);
        span[0] = (byte)'[';
        var at = 1 + PromNumber.FormatTime(time, span[1..]);
        span[at++] = (byte)',';
        span[at++] = (byte)'"';
        at += PromNumber.FormatValue(value, span[at..]);
        span[at++] = (byte)'"';
        span[at++] = (byte)']';
        used += at;
    }

    /// <summary>Whether so much has gathered that it should be sent on.</summary>
    public bool IsFull => gathered + used > FlushBytes;

    /// <summary>Sends what has gathered; a slow reader slows the writer here.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        Commit();
        gathered = 0;
        isSent = true;
        await pipe.FlushAsync(cancellationToken);
    }

    /// <summary>Sends the rest. An answer that is whole by now goes with its length, in one piece: the end of one in chunks would be a packet and a wake-up more.</summary>
    public ValueTask EndAsync(CancellationToken cancellationToken)
    {
        Commit();
        if (!isSent && !response.HasStarted)
        {
            response.ContentLength = gathered;
        }

        return FlushAsync(cancellationToken);
    }

    private void Piece(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            var plain = text.IndexOfAny(NeedEscape);
            plain = plain < 0 ? text.Length : plain;
            var span = Reserve((3 * plain) + 6);
            var written = Encoding.UTF8.GetBytes(text[..plain], span);
            if (plain < text.Length)
            {
                written += Escape(text[plain], span[written..]);
                plain++;
            }

            used += written;
            text = text[plain..];
        }
    }

    private static int Escape(char c, Span<byte> into)
    {
        into[0] = (byte)'\\';
        var simple = c switch
        {
            '"' or '\\' => c,
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            _ => '\0',
        };
        if (simple != '\0')
        {
            into[1] = (byte)simple;
            return 2;
        }

        "u00"u8.CopyTo(into[1..]);
        into[4] = (byte)"0123456789abcdef"[c >> 4];
        into[5] = (byte)"0123456789abcdef"[c & 15];
        return 6;
    }

    private Span<byte> Reserve(int size)
    {
        if (block.Length - used < size)
        {
            Commit();
            block = pipe.GetMemory(Math.Max(size, BlockBytes));
        }

        return block.Span[used..];
    }

    private void Commit()
    {
        if (used > 0)
        {
            pipe.Advance(used);
        }

        gathered += used;
        used = 0;
        block = default;
    }
}
