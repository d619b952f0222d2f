using System.Text;

namespace Lm.Agent.Upload;

/// <summary>Lines and counted bytes of one connection's answers. An answer may take only so many bytes, however it is framed.</summary>
/// <param name="stream">The connection.</param>
/// <param name="answerBytesMax">Bytes that are read from it for one answer: interim answers, head, body, chunk lines and trailers together.</param>
internal sealed class HttpInput(Stream stream, int answerBytesMax)
{
    /// <summary>Bytes of one line: status line, header, chunk length.</summary>
    public const int LineBytesMax = 4096;

    /// <summary>Bytes of one answer of a collector.</summary>
    public const int AnswerBytesMax = 128 << 10;

    private readonly byte[] buffer = new byte[LineBytesMax];
    private int start;
    private int end;
    private int taken;

    /// <summary>Whether any byte of the answer came.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Whether nothing is here that no request asked for.</summary>
    public bool IsEmpty => start == end;

    /// <summary>Before an answer: its bytes are counted from here.</summary>
    public void Begin() => (taken, HasBegun) = (end - start, end > start);

    /// <summary>Reads a line that CRLF ends. A bare LF or another control character is refused: programs on the way could see other lines than we do.</summary>
    public async Task<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        var searched = 0;
        while (true)
        {
            var at = buffer.AsSpan(start + searched, end - start - searched).IndexOf((byte)'\n');
            if (at >= 0)
            {
                var line = TextOf(buffer.AsSpan(start, searched + at));
                start += searched + at + 1;
                return line;
            }

            searched = end - start;
            if (searched == LineBytesMax)
            {
                throw new HttpFormatException($"a line of the answer is longer than {LineBytesMax} bytes");
            }

            if (!await FillAsync(cancellationToken))
            {
                throw new HttpFormatException(HasBegun ? "the connection ended within the answer" : "the connection ended without an answer");
            }
        }
    }

    /// <summary>Fills <paramref name="target"/>.</summary>
    public async Task ReadExactlyAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        var buffered = Math.Min(target.Length, end - start);
        buffer.AsSpan(start, buffered).CopyTo(target.Span);
        start += buffered;
        for (var rest = target[buffered..]; !rest.IsEmpty;)
        {
            var count = await ReadAsync(rest, cancellationToken);
            if (count == 0)
            {
                throw new HttpFormatException("the connection ended within the answer's body");
            }

            rest = rest[count..];
        }
    }

    /// <summary>Reads to the connection's end.</summary>
    public async Task<byte[]> ReadToEndAsync(int bytesMax, CancellationToken cancellationToken)
    {
        var body = new MemoryStream();
        do
        {
            body.Write(buffer, start, end - start);
            start = end;
            if (body.Length > bytesMax)
            {
                throw new HttpFormatException($"the answer's body is longer than {bytesMax} bytes");
            }
        }
        while (await FillAsync(cancellationToken));
        return body.ToArray();
    }

    private static string TextOf(ReadOnlySpan<byte> line)
    {
        if (line is not [.. var text, (byte)'\r'])
        {
            throw new HttpFormatException("a line of the answer ends in LF without CR");
        }

        foreach (var character in text)
        {
            if (character is (< 0x20 and not (byte)'\t') or 0x7f)
            {
                throw new HttpFormatException("a line of the answer has a control character");
            }
        }

        return Encoding.Latin1.GetString(text);
    }

    private async Task<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }

        var count = await ReadAsync(buffer.AsMemory(end), cancellationToken);
        end += count;
        return count > 0;
    }

    private async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        var room = answerBytesMax - taken;
        if (room == 0)
        {
            throw new HttpFormatException($"the answer is longer than {answerBytesMax} bytes");
        }

        var count = await stream.ReadAsync(target.Length > room ? target[..room] : target, cancellationToken);
        taken += count;
        HasBegun |= count > 0;
        return count;
    }
}
