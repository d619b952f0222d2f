using Lm.Platform.Files;

namespace Lm.Journal;

/// <summary>Reads payloads of committed records again, any part of them, by their positions. They are not checked again: whoever needs that has their checksums from the first time.</summary>
/// <remarks>Segments stay open until it is disposed, so that it reads on in those that are deleted meanwhile. Safe for concurrent use.</remarks>
public sealed class PayloadReader : IDisposable
{
    private readonly IFileSystem files;
    private readonly string directory;
    private readonly Lock gate = new(); // guards open
    private readonly Dictionary<uint, IFileHandle> open = [];

    internal PayloadReader(IFileSystem files, string directory) => (this.files, this.directory) = (files, directory);

    /// <summary>Reads a part of a payload.</summary>
    /// <param name="record">The record's position.</param>
    /// <param name="start">Where in its payload to begin.</param>
    /// <param name="buffer">Filled; the part must lie within the payload.</param>
    /// <exception cref="IOException">The segment cannot be read, or ends before.</exception>
    public void Read(JournalPosition record, int start, Span<byte> buffer)
    {
        var count = Open(record.Segment).Read(record.Offset + SegmentFormat.RecordHeaderSize + start, buffer);
        if (count < buffer.Length)
        {
            throw new IOException($"{Path.Combine(directory, SegmentFormat.FileName(record.Segment))} ends within the record at byte {record.Offset}");
        }
    }

    /// <summary>Closes the segments.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (var file in open.Values)
            {
                file.Dispose();
            }

            open.Clear();
        }
    }

    private IFileHandle Open(uint segment)
    {
        lock (gate)
        {
            if (!open.TryGetValue(segment, out var file))
            {
                file = JournalReader.OpenSegment(files, directory, segment);
                open.Add(segment, file);
            }

            return file;
        }
    }
}
