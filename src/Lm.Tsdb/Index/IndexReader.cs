using System.Buffers.Binary;
using System.Text;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Tsdb.Blocks;

namespace Lm.Tsdb.Index;

/// <summary>Reads a block's index, format version 2, where it lies: only each sixteenth text's and entry's place is kept in memory.</summary>
/// <remarks>Safe for concurrent use. Every part is checked against its checksum whenever it is read, so damage is a
/// <see cref="BlockDamageException"/> and never another answer. Source: Prometheus, tsdb/docs/format/index.md.</remarks>
internal sealed class IndexReader
{
    private const int Spacing = 16;

    private readonly MappedFile file;
    private readonly LabelCache cache;
    private readonly int block;
    private readonly long symbolsAt;
    private readonly long tableAt;
    private readonly uint symbolCount;
    private readonly uint[] symbolPlaces; // from symbolsAt, each sixteenth
    private readonly Dictionary<string, ValueRange> names = new(StringComparer.Ordinal);
    private long allSeriesAt = -1;

    public IndexReader(MappedFile file, LabelCache cache)
    {
        (this.file, this.cache, block) = (file, cache, cache.NextBlock());
        if (file.Length < IndexFormat.HeaderSize + IndexFormat.TocSize)
        {
            throw Damage(0, $"the file has {file.Length} bytes, too few for an index");
        }

        var header = file.Slice(0, IndexFormat.HeaderSize);
        if (BinaryPrimitives.ReadUInt32BigEndian(header) != IndexFormat.Magic || header[4] != IndexFormat.Version)
        {
            throw Damage(0, $"it begins with {Convert.ToHexStringLower(header)}, an index of version 2 with baaad70002");
        }

        (symbolsAt, tableAt) = ReadToc();
        var symbols = Section(symbolsAt, "symbols");
        symbolCount = Count(ref symbols, symbolsAt, minimumSize: 1);
        symbolPlaces = ReadSymbolPlaces(symbols);
        ReadTable();
    }

    /// <summary>Whether damage was met.</summary>
    public bool HasDamage { get; private set; }

    public IReadOnlyCollection<string> LabelNames => names.Keys;

    public int ValueCountOf(string name) => names.TryGetValue(name, out var range) ? range.Count : 0;

    /// <summary>The references of all series, in the order of their labels.</summary>
    public uint[] AllSeries() => Postings(allSeriesAt);

    /// <summary>The series with this label; empty when there is none.</summary>
    public uint[] SeriesOf(string name, string value)
    {
        if (!names.TryGetValue(name, out var range))
        {
            return [];
        }

        var wanted = Utf8Order.Encoding.GetBytes(value);
        for (var values = ValuesFrom(range, wanted); values.MoveNext();)
        {
            var order = values.Value.SequenceCompareTo(wanted);
            if (order >= 0)
            {
                return order == 0 ? Postings(values.PostingsAt) : [];
            }
        }

        return [];
    }

    /// <summary>The values of a label from a prefix on, in the order of their UTF-8 bytes.</summary>
    public ValueCursor ValuesOf(string name, string prefix) =>
        names.TryGetValue(name, out var range) ? ValuesFrom(range, Utf8Order.Encoding.GetBytes(prefix)) : default;

    /// <summary>A text as a string.</summary>
    public string Text(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return cache.Text(utf8);
        }
        catch (DecoderFallbackException)
        {
            throw Damage(symbolsAt, "a text is not UTF-8");
        }
    }

    /// <summary>A postings list.</summary>
    public uint[] Postings(long at)
    {
        if (at < 0)
        {
            return [];
        }

        var content = Section(at, "postings");
        var count = Count(ref content, at, sizeof(uint));
        var list = new uint[count];
        BinaryPrimitives.ReverseEndianness(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, uint>(content)[..list.Length], list);
        for (var i = 1; i < list.Length; i++)
        {
            if (list[i] <= list[i - 1])
            {
                throw Damage(at, "the postings do not ascend");
            }
        }

        return list;
    }

    /// <summary>A series' labels.</summary>
    public LabelSet LabelsOf(uint reference)
    {
        return cache.Find(block, reference) ?? cache.Keep(block, reference, DecodeLabels(reference));
    }

    /// <summary>A series' labels, past the cache: for whoever looks at every series once.</summary>
    public LabelSet DecodeLabels(uint reference)
    {
        var entry = Series(reference);
        var labels = new Label[ReadLabelCount(ref entry, reference)];
        for (var i = 0; i < labels.Length; i++)
        {
            var (name, value) = (Number(ref entry, reference), Number(ref entry, reference));
            labels[i] = new Label(Symbol(name), Symbol(value));
        }

        return LabelSet.FromSorted(labels);
    }

    /// <summary>A series' chunks.</summary>
    public ChunkCursor ChunksOf(uint reference)
    {
        var entry = Series(reference);
        for (var left = ReadLabelCount(ref entry, reference) * 2; left > 0; left--)
        {
            Number(ref entry, reference);
        }

        var count = Number(ref entry, reference);
        return count <= (ulong)entry.Length ? new ChunkCursor(this, reference, entry, (int)count) : throw DamagedSeries(reference);
    }

    private BlockDamageException Damage(long offset, string reason)
    {
        HasDamage = true;
        return new BlockDamageException(file.Path, offset, reason);
    }

    private BlockDamageException DamagedSeries(uint reference) =>
        Damage((long)reference * IndexFormat.SeriesAlignment, "there is no series entry, or it is damaged");

    private (long Symbols, long Table) ReadToc()
    {
        var at = file.Length - IndexFormat.TocSize;
        var toc = file.Slice(at, IndexFormat.TocSize);
        CheckSum(toc[..^sizeof(uint)], BinaryPrimitives.ReadUInt32BigEndian(toc[^sizeof(uint)..]), at, "table of contents");
        var symbols = (long)BinaryPrimitives.ReadUInt64BigEndian(toc);
        var table = (long)BinaryPrimitives.ReadUInt64BigEndian(toc[(5 * sizeof(ulong))..]);
        return symbols > 0 && table > 0 ? (symbols, table) : throw Damage(at, "the index has no symbols or no postings");
    }

    // A length, so many bytes, and their checksum.
    private ReadOnlySpan<byte> Section(long at, string what)
    {
        if (at < 0 || at > file.Length - (2 * sizeof(uint)))
        {
            throw Damage(at, $"the {what} would lie outside the file");
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(file.Slice(at, sizeof(uint)));
        if (length > int.MaxValue || length > file.Length - at - (2 * sizeof(uint)))
        {
            throw Damage(at, $"the {what} have {length} bytes, more than the file");
        }

        var content = file.Slice(at + sizeof(uint), (int)length);
        CheckSum(content, BinaryPrimitives.ReadUInt32BigEndian(file.Slice(at + sizeof(uint) + length, sizeof(uint))), at, what);
        return content;
    }

    private void CheckSum(ReadOnlySpan<byte> content, uint expected, long at, string what)
    {
        var computed = Crc32C.Compute(content);
        if (computed != expected)
        {
            throw Damage(at, $"the checksum of the {what} is {expected:x8}, computed {computed:x8}");
        }
    }

    private uint Count(ref ReadOnlySpan<byte> content, long at, int minimumSize)
    {
        if (content.Length < sizeof(uint) || BinaryPrimitives.ReadUInt32BigEndian(content) is var count && count > (content.Length - sizeof(uint)) / minimumSize)
        {
            throw Damage(at, "the number of entries is more than fit");
        }

        content = content[sizeof(uint)..];
        return count;
    }

    private uint[] ReadSymbolPlaces(ReadOnlySpan<byte> symbols)
    {
        var places = new uint[(symbolCount + Spacing - 1) / Spacing];
        var rest = symbols;
        for (var i = 0u; i < symbolCount; i++)
        {
            if (i % Spacing == 0)
            {
                places[i / Spacing] = (uint)(symbols.Length - rest.Length);
            }

            TakeText(ref rest, symbolsAt);
        }

        return places;
    }

    private ReadOnlySpan<byte> TakeText(scoped ref ReadOnlySpan<byte> from, long at)
    {
        if (!GoVarint.TryRead(ref from, out var length) || length > (ulong)from.Length)
        {
            throw Damage(at, "a text goes beyond its section");
        }

        var text = from[..(int)length];
        from = from[(int)length..];
        return text;
    }

    private string Symbol(ulong ordinal)
    {
        if (ordinal >= symbolCount)
        {
            throw Damage(symbolsAt, $"there are {symbolCount} symbols; a series refers to number {ordinal}");
        }

        // The section was checked when the file was opened; a file that changed since gives another text, but stays within the mapping.
        var place = symbolPlaces[ordinal / Spacing];
        var start = symbolsAt + (2 * sizeof(uint)) + place;
        var length = BinaryPrimitives.ReadUInt32BigEndian(file.Slice(symbolsAt, sizeof(uint))) - sizeof(uint) - place;
        var rest = file.Slice(start, (int)length);
        for (var left = ordinal % Spacing; left > 0; left--)
        {
            TakeText(ref rest, start);
        }

        return Text(TakeText(ref rest, start));
    }

    private void ReadTable()
    {
        var table = Section(tableAt, "postings table");
        var count = Count(ref table, tableAt, minimumSize: 4);
        var cursor = new ValueCursor(this, table, (int)count, 0);
        ReadOnlySpan<byte> name = default;
        ValueRange? range = null;
        while (cursor.MoveNext())
        {
            if (cursor.Name.IsEmpty)
            {
                allSeriesAt = cursor.PostingsAt;
                continue;
            }

            if (range is null || !cursor.Name.SequenceEqual(name))
            {
                name = cursor.Name;
                range = new ValueRange();
                if (!names.TryAdd(Text(name), range))
                {
                    throw Damage(tableAt, "the postings table is not sorted");
                }
            }

            if (range.Count++ % Spacing == 0)
            {
                range.Places.Add(cursor.EntryAt);
            }
        }

        if (allSeriesAt < 0)
        {
            throw Damage(tableAt, "the list of all series is missing");
        }
    }

    private ValueCursor ValuesFrom(ValueRange range, ReadOnlySpan<byte> wanted)
    {
        var table = file.Slice(tableAt + (2 * sizeof(uint)), (int)BinaryPrimitives.ReadUInt32BigEndian(file.Slice(tableAt, sizeof(uint))) - sizeof(uint));
        var (low, high) = (0, range.Places.Count - 1);
        while (low < high)
        {
            // The last place whose value is not behind the one wanted.
            var middle = (low + high + 1) >>> 1;
            var probe = new ValueCursor(this, table[range.Places[middle]..], 1, range.Places[middle]);
            (low, high) = probe.MoveNext() && probe.Value.SequenceCompareTo(wanted) <= 0 ? (middle, high) : (low, middle - 1);
        }

        var cursor = new ValueCursor(this, table[range.Places[low]..], range.Count - (low * Spacing), range.Places[low]);
        while (true)
        {
            var next = cursor;
            if (!next.MoveNext() || next.Value.SequenceCompareTo(wanted) >= 0)
            {
                return cursor;
            }

            cursor = next;
        }
    }

    private ReadOnlySpan<byte> Series(uint reference)
    {
        var at = (long)reference * IndexFormat.SeriesAlignment;
        if (at < IndexFormat.HeaderSize || at >= file.Length)
        {
            throw DamagedSeries(reference);
        }

        var head = file.Slice(at, (int)Math.Min(10, file.Length - at));
        var size = head.Length;
        if (!GoVarint.TryRead(ref head, out var length) || length > (ulong)(file.Length - at - sizeof(uint) - (size - head.Length)) || length > int.MaxValue)
        {
            throw DamagedSeries(reference);
        }

        at += size - head.Length;
        var content = file.Slice(at, (int)length);
        CheckSum(content, BinaryPrimitives.ReadUInt32BigEndian(file.Slice(at + (int)length, sizeof(uint))), at, "series");
        return content;
    }

    private int ReadLabelCount(ref ReadOnlySpan<byte> entry, uint reference)
    {
        var count = Number(ref entry, reference);
        return count <= (ulong)entry.Length / 2 ? (int)count : throw DamagedSeries(reference);
    }

    private ulong Number(ref ReadOnlySpan<byte> entry, uint reference) =>
        GoVarint.TryRead(ref entry, out var value) ? value : throw DamagedSeries(reference);

    /// <summary>Where a name's values lie in the postings table.</summary>
    private sealed class ValueRange
    {
        public int Count { get; set; }

        public List<int> Places { get; } = [];
    }

    /// <summary>Walks over entries of the postings table. Valid as long as the index.</summary>
    public ref struct ValueCursor(IndexReader index, ReadOnlySpan<byte> table, int count, int at)
    {
        private readonly IndexReader index = index;
        private readonly int size = at + table.Length;
        private ReadOnlySpan<byte> rest = table;
        private int left = count;

        public int EntryAt { get; private set; } = at;

        public ReadOnlySpan<byte> Name { get; private set; }

        public ReadOnlySpan<byte> Value { get; private set; }

        public long PostingsAt { get; private set; }

        public bool MoveNext()
        {
            if (left-- <= 0)
            {
                return false;
            }

            EntryAt = size - rest.Length;
            if (!GoVarint.TryRead(ref rest, out var texts) || texts != 2)
            {
                throw index.Damage(index.tableAt, "an entry of the postings table does not begin with the number 2");
            }

            Name = index.TakeText(ref rest, index.tableAt);
            Value = index.TakeText(ref rest, index.tableAt);
            if (!GoVarint.TryRead(ref rest, out var postings) || postings > long.MaxValue)
            {
                throw index.Damage(index.tableAt, "an entry of the postings table has no offset");
            }

            PostingsAt = (long)postings;
            return true;
        }
    }

    /// <summary>Walks over a series' chunks. Valid as long as the index.</summary>
    public ref struct ChunkCursor(IndexReader index, uint series, ReadOnlySpan<byte> entry, int count)
    {
        private readonly IndexReader index = index;
        private readonly uint series = series;
        private ReadOnlySpan<byte> rest = entry;
        private int left = count;
        private bool isFirst = true;
        private ChunkReference current;

        public readonly int Left => Math.Max(0, left);

        public readonly ChunkReference Current => current;

        public bool MoveNext()
        {
            if (left-- <= 0)
            {
                return false;
            }

            var (start, length, place) = (index.Number(ref rest, series), index.Number(ref rest, series), index.Number(ref rest, series));
            var minTime = isFirst ? GoVarint.UnZigZag(start) : unchecked(current.MaxTime + (long)start);
            var reference = isFirst ? place : unchecked(current.Reference + (ulong)GoVarint.UnZigZag(place));
            var maxTime = unchecked(minTime + (long)length);
            if (maxTime < minTime || (!isFirst && minTime <= current.MaxTime))
            {
                throw index.DamagedSeries(series);
            }

            current = new ChunkReference(minTime, maxTime, reference);
            isFirst = false;
            return true;
        }
    }
}
