using Lm.Logs.Lines;

namespace Lm.Logs.Files;

/// <summary>What a log file's frames hold: streams, times, and filters of their texts.</summary>
/// <remarks>Grows while its file does, by one thread under the store's lock; else it stays as it is.</remarks>
internal sealed class FileIndex
{
    private readonly List<FrameInfo> frames = [];
    private readonly List<LogStream> streams = [];
    private readonly List<Filter> filters = [];

    /// <summary>The frames, in their order in the file.</summary>
    public IReadOnlyList<FrameInfo> Frames => frames;

    /// <summary>The streams by number.</summary>
    public IReadOnlyList<LogStream> Streams => streams;

    /// <summary>Bytes of the filters.</summary>
    public long FilterBytes { get; private set; }

    /// <summary>Bytes in memory, about.</summary>
    public long MemoryBytes => FilterBytes + (frames.Count * 160L) + StreamBytes + StreamNumbers;

    private long StreamNumbers { get; set; }

    private long StreamBytes { get; set; }

    /// <summary>How many frames the filters tell about: the first ones.</summary>
    public int FilteredFrames => filters.Count == 0 ? 0 : filters[^1].End;

    /// <summary>Adds a stream.</summary>
    /// <returns>Its number.</returns>
    public int Add(LogStream stream)
    {
        streams.Add(stream);
        StreamBytes += stream.MemoryBytes;
        return streams.Count - 1;
    }

    /// <summary>Adds a frame.</summary>
    public void Add(FrameInfo frame)
    {
        frames.Add(frame);
        StreamNumbers += frame.Streams.Length * sizeof(int);
    }

    /// <summary>Adds the filter of all frames that have none yet.</summary>
    public void AddFilter(byte[] stored)
    {
        filters.Add(new Filter(frames.Count, stored));
        FilterBytes += stored.Length;
    }

    /// <summary>Forgets the filters: what memory has no room for is read from the frames themselves.</summary>
    public void DropFilters()
    {
        filters.Clear();
        FilterBytes = 0;
    }

    /// <summary>What there is now, while this goes on growing. What frames and filters say never changes.</summary>
    public FileIndex Copy()
    {
        var copy = new FileIndex();
        copy.streams.AddRange(streams);
        copy.frames.AddRange(frames);
        copy.filters.AddRange(filters);
        return copy;
    }

    /// <summary>Adds all records of it.</summary>
    public void WriteTo(ByteBuffer to)
    {
        foreach (var stream in streams)
        {
            IndexFormat.WriteStream(to, stream);
        }

        var filter = 0;
        for (var i = 0; i < frames.Count; i++)
        {
            IndexFormat.WriteFrame(to, frames[i]);
            if (filter < filters.Count && filters[filter].End == i + 1)
            {
                IndexFormat.WriteFilter(to, filters[filter].Bytes);
                filter++;
            }
        }
    }

    /// <summary>Frames that may hold what is looked for.</summary>
    /// <param name="scan">What is looked for.</param>
    /// <param name="hashes">Of each required text.</param>
    /// <param name="skipped">How many frames in the time range were ruled out.</param>
    public List<FrameInfo> Choose(LogScan scan, IReadOnlyList<ushort[]> hashes, out int skipped)
    {
        var chosen = new List<FrameInfo>();
        skipped = 0;
        var wanted = new bool[streams.Count];
        for (var i = 0; i < wanted.Length; i++)
        {
            wanted[i] = scan.Stream(streams[i]);
        }

        var filter = 0;
        var mayHold = new bool?[filters.Count];
        for (var i = 0; i < frames.Count; i++)
        {
            while (filter < filters.Count && filters[filter].End <= i)
            {
                filter++;
            }

            var frame = frames[i];
            if (frame.MaxTime < scan.From || frame.MinTime >= scan.Until)
            {
                continue;
            }

            var isChosen = HasAny(frame.Streams, wanted)
                && (filter == filters.Count || (mayHold[filter] ??= MayHold(filters[filter].Bytes, hashes)));
            if (isChosen)
            {
                chosen.Add(frame);
            }
            else
            {
                skipped++;
            }
        }

        return chosen;
    }

    /// <summary>What there is of some streams in a time range.</summary>
    public LogExtent Measure(long from, long until, Func<LogStream, bool> stream)
    {
        var extent = default(LogExtent);
        var wanted = streams.ConvertAll(each => stream(each)).ToArray();
        foreach (var frame in frames)
        {
            if (frame.MaxTime >= from && frame.MinTime < until && HasAny(frame.Streams, wanted))
            {
                extent += new LogExtent(1, frame.Lines, frame.RawSize);
            }
        }

        return extent;
    }

    /// <summary>The streams of a time range, each once.</summary>
    public List<LogStream> StreamsIn(long from, long until)
    {
        var found = new List<LogStream>();
        var seen = new bool[streams.Count];
        foreach (var frame in frames)
        {
            if (frame.MaxTime < from || frame.MinTime >= until)
            {
                continue;
            }

            foreach (var number in frame.Streams)
            {
                if (!seen[number])
                {
                    seen[number] = true;
                    found.Add(streams[number]);
                }
            }
        }

        return found;
    }

    private static bool MayHold(byte[] stored, IReadOnlyList<ushort[]> hashes)
    {
        foreach (var each in hashes)
        {
            if (!GramFilter.MayHold(stored, each))
            {
                return false;
            }
        }

        return true;
    }

    private static bool HasAny(int[] numbers, bool[] wanted)
    {
        foreach (var number in numbers)
        {
            if (wanted[number])
            {
                return true;
            }
        }

        return false;
    }

    // The filter of the frames from the one before's end on.
    private readonly record struct Filter(int End, byte[] Bytes);
}
