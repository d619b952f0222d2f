using Lm.Logs.Lines;

namespace Lm.Logs.Files;

/// <summary>Makes the index of a file while its frames are written, or read back.</summary>
internal sealed class IndexBuilder
{
    // So that one damaged filter costs little, and a search for what one frame has reads little else.
    private const int FramesPerFilterMax = 16;

    private readonly GramFilter filter = new();
    private readonly Dictionary<LogStream, int> numbers = [];
    private int unfiltered;

    /// <summary>Begins with nothing.</summary>
    public IndexBuilder()
    {
        Index = new FileIndex();
        IndexFormat.WriteHeader(Bytes);
    }

    /// <summary>Goes on with what was read back.</summary>
    /// <param name="index">What there is.</param>
    public IndexBuilder(FileIndex index)
    {
        Index = index;
        for (var i = 0; i < index.Streams.Count; i++)
        {
            numbers.TryAdd(index.Streams[i], i);
        }
    }

    /// <summary>What it tells so far.</summary>
    public FileIndex Index { get; }

    /// <summary>What is to be written of it.</summary>
    public ByteBuffer Bytes { get; } = new();

    /// <summary>A stream's number.</summary>
    public int NumberOf(LogStream stream)
    {
        if (!numbers.TryGetValue(stream, out var number))
        {
            number = Index.Add(stream);
            numbers.Add(stream, number);
            IndexFormat.WriteStream(Bytes, stream);
        }

        return number;
    }

    /// <summary>A body of the frame that is being made.</summary>
    public void AddBody(ReadOnlySpan<byte> body) => filter.Add(body);

    /// <summary>A frame is complete.</summary>
    public void AddFrame(FrameInfo frame)
    {
        Index.Add(frame);
        IndexFormat.WriteFrame(Bytes, frame);
        unfiltered++;
        if (unfiltered == FramesPerFilterMax || filter.IsFull)
        {
            CloseFilter();
        }
    }

    /// <summary>Ends the filter of the frames that have none yet. No frame is being made meanwhile.</summary>
    public void CloseFilter()
    {
        if (unfiltered == 0)
        {
            return;
        }

        var stored = filter.ToBytes();
        Index.AddFilter(stored);
        IndexFormat.WriteFilter(Bytes, stored);
        filter.Clear();
        unfiltered = 0;
    }

    /// <summary>The file is complete.</summary>
    public void Complete(long fileLength)
    {
        CloseFilter();
        IndexFormat.WriteEnd(Bytes, fileLength);
    }
}
