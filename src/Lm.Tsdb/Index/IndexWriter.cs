using System.Runtime.InteropServices;
using Lm.Platform.Files;
using Lm.Tsdb.Blocks;

namespace Lm.Tsdb.Index;

/// <summary>Writes a block's index, format version 2. Series come in the order of their labels; symbols and postings are written at the end.</summary>
/// <remarks>The file begins with the symbols, which are known last: series entries wait in memory and, beyond <see cref="SpillBytes"/>, in a
/// file beside. What grows with the block is the symbols and twelve bytes for each label of each series.</remarks>
/// <param name="files">The file system.</param>
/// <param name="path">The index file, which is not there yet.</param>
/// <param name="spillPath">Where series entries wait; gone when <see cref="Finish"/> returns.</param>
internal sealed class IndexWriter(IFileSystem files, string path, string spillPath) : IDisposable
{
    /// <summary>Bytes of series entries that wait in memory.</summary>
    public const int SpillBytes = 4 << 20;

    private readonly SymbolNumbers symbols = new();
    private readonly Dictionary<(int Name, int Value), int> pairs = [];
    private readonly List<(int Name, int Value)> pairList = [];
    private readonly List<int> pairCounts = [];
    private readonly List<int> pairOfEntry = []; // of all labels of all series, in order
    private readonly List<ushort> labelCounts = []; // a series' labels
    private readonly SeriesSpill waiting = new(files, spillPath, SpillBytes);

    /// <summary>The longest series entry, bytes.</summary>
    public int SeriesSizeMax { get; private set; }

    /// <summary>The file's length, once it is finished.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>Adds a series, which comes behind all before it.</summary>
    public void AddSeries(LabelSet labels, ReadOnlySpan<ChunkReference> chunks)
    {
        var row = waiting.BeginRecord();
        row.Write((ulong)labels.Labels.Length);
        foreach (ref readonly var label in labels.Labels)
        {
            var pair = (symbols.NumberOf(label.Name), symbols.NumberOf(label.Value));
            ref var number = ref CollectionsMarshal.GetValueRefOrAddDefault(pairs, pair, out var isKnown);
            if (!isKnown)
            {
                number = pairList.Count;
                pairList.Add(pair);
                pairCounts.Add(0);
            }

            pairCounts[number]++;
            pairOfEntry.Add(number);
            row.Write((ulong)pair.Item1);
            row.Write((ulong)pair.Item2);
        }

        labelCounts.Add(checked((ushort)labels.Labels.Length));
        WriteChunks(row, chunks);
        waiting.EndRecord();
    }

    /// <summary>Writes the file and returns once it is on stable storage.</summary>
    public void Finish()
    {
        using var file = new BlockFileWriter(files, path);
        file.WriteUInt32(IndexFormat.Magic);
        file.WriteByte(IndexFormat.Version);
        var symbolsAt = file.Position;
        var ordinals = symbols.Sort(out var sorted);
        WriteSymbols(file, sorted);
        file.Align(IndexFormat.SeriesAlignment);
        var seriesAt = file.Position;
        var series = WriteSeries(file, ordinals);
        waiting.Delete();

        // The two label index sections of version 2 are read by nobody; the table is there and empty, as newer Prometheus has it.
        file.Align(sizeof(uint));
        var postingsAt = file.Position;
        var (order, offsets) = WritePostings(file, series, ordinals);
        var labelTableAt = file.Position;
        WriteEmptyTable(file);
        var tableAt = file.Position;
        WritePostingsTable(file, order, offsets, sorted, ordinals);
        file.BeginChecksum();
        foreach (var offset in (ReadOnlySpan<long>)[symbolsAt, seriesAt, postingsAt, labelTableAt, postingsAt, tableAt])
        {
            file.WriteUInt64((ulong)offset);
        }

        file.WriteChecksum();
        file.Finish();
        SizeBytes = file.Position;
    }

    public void Dispose() => waiting.Dispose();

    private static void WriteChunks(SeriesSpill row, ReadOnlySpan<ChunkReference> chunks)
    {
        row.Write((ulong)chunks.Length);
        var before = default(ChunkReference);
        for (var i = 0; i < chunks.Length; i++)
        {
            ref readonly var chunk = ref chunks[i];
            row.Write(i == 0 ? GoVarint.ZigZag(chunk.MinTime) : (ulong)(chunk.MinTime - before.MaxTime));
            row.Write((ulong)(chunk.MaxTime - chunk.MinTime));
            row.Write(i == 0 ? chunk.Reference : GoVarint.ZigZag((long)(chunk.Reference - before.Reference)));
            before = chunk;
        }
    }

    private static void WriteSymbols(BlockFileWriter file, string[] sorted)
    {
        var lengthAt = file.Position;
        file.WriteUInt32(0);
        file.BeginChecksum();
        file.WriteUInt32((uint)sorted.Length);
        foreach (var symbol in sorted)
        {
            WriteText(file, symbol);
        }

        EndSection(file, lengthAt);
    }

    private static void WriteText(BlockFileWriter file, string text)
    {
        var bytes = Utf8Order.Encoding.GetBytes(text);
        file.WriteUvarint((ulong)bytes.Length);
        file.Write(bytes);
    }

    private static void EndSection(BlockFileWriter file, long lengthAt)
    {
        var length = file.Position - lengthAt - sizeof(uint);
        file.WriteChecksum();
        file.Patch(lengthAt, checked((uint)length));
    }

    private static void WriteEmptyTable(BlockFileWriter file)
    {
        file.WriteUInt32(sizeof(uint));
        file.BeginChecksum();
        file.WriteUInt32(0);
        file.WriteChecksum();
    }

    /// <summary>Writes the waiting entries with the symbols' final numbers; gives each series' reference.</summary>
    private uint[] WriteSeries(BlockFileWriter file, int[] ordinals)
    {
        var references = new uint[labelCounts.Count];
        var entry = new byte[1024];
        waiting.BeginReading();
        for (var i = 0; i < references.Length; i++)
        {
            var record = waiting.ReadRecord();
            var length = Translate(record, ordinals, ref entry);
            file.Align(IndexFormat.SeriesAlignment);
            references[i] = checked((uint)(file.Position / IndexFormat.SeriesAlignment));
            file.WriteUvarint((ulong)length);
            file.BeginChecksum();
            file.Write(entry.AsSpan(0, length));
            file.WriteChecksum();
            SeriesSizeMax = Math.Max(SeriesSizeMax, length);
        }

        return references;
    }

    private static int Translate(ReadOnlySpan<byte> record, int[] ordinals, ref byte[] entry)
    {
        var worst = record.Length * 5; // a number of one byte may become one of five
        if (entry.Length < worst)
        {
            entry = new byte[worst * 2];
        }

        GoVarint.TryRead(ref record, out var labels);
        var length = GoVarint.Write(entry, labels);
        for (var i = 0UL; i < labels * 2; i++)
        {
            GoVarint.TryRead(ref record, out var number);
            length += GoVarint.Write(entry.AsSpan(length), (ulong)ordinals[number]);
        }

        record.CopyTo(entry.AsSpan(length));
        return length + record.Length;
    }

    private (int[] Order, long[] Offsets) WritePostings(BlockFileWriter file, uint[] series, int[] ordinals)
    {
        var (starts, members) = SeriesOfPairs();
        var keys = pairList.Select(pair => ((long)ordinals[pair.Name] << 32) | (uint)ordinals[pair.Value]).ToArray();
        var order = Enumerable.Range(0, keys.Length).ToArray();
        Array.Sort(keys, order);
        var offsets = new long[keys.Length + 1];
        offsets[0] = WriteList(file, series, null);
        for (var i = 0; i < order.Length; i++)
        {
            var pair = order[i];
            offsets[i + 1] = WriteList(file, series, members.AsMemory(starts[pair], pairCounts[pair]));
        }

        return (order, offsets);
    }

    // A counting sort: the series come out ascending for each pair.
    private (int[] Starts, int[] Members) SeriesOfPairs()
    {
        var starts = new int[pairCounts.Count];
        for (var i = 1; i < starts.Length; i++)
        {
            starts[i] = starts[i - 1] + pairCounts[i - 1];
        }

        var next = starts.AsSpan().ToArray();
        var members = new int[pairOfEntry.Count];
        var entry = 0;
        for (var number = 0; number < labelCounts.Count; number++)
        {
            for (var end = entry + labelCounts[number]; entry < end; entry++)
            {
                members[next[pairOfEntry[entry]]++] = number;
            }
        }

        return (starts, members);
    }

    private static long WriteList(BlockFileWriter file, uint[] series, ReadOnlyMemory<int>? members)
    {
        var at = file.Position; // all lists are multiples of four bytes
        var count = members?.Length ?? series.Length;
        file.WriteUInt32(checked((uint)(count + 1) * sizeof(uint)));
        file.BeginChecksum();
        file.WriteUInt32((uint)count);
        for (var i = 0; i < count; i++)
        {
            file.WriteUInt32(series[members is { } some ? some.Span[i] : i]);
        }

        file.WriteChecksum();
        return at;
    }

    private void WritePostingsTable(BlockFileWriter file, int[] order, long[] offsets, string[] sorted, int[] ordinals)
    {
        var lengthAt = file.Position;
        file.WriteUInt32(0);
        file.BeginChecksum();
        file.WriteUInt32((uint)offsets.Length);
        for (var i = 0; i < offsets.Length; i++)
        {
            var (name, value) = ("", "");
            if (i > 0)
            {
                var pair = pairList[order[i - 1]];
                (name, value) = (sorted[ordinals[pair.Name]], sorted[ordinals[pair.Value]]);
            }

            file.WriteByte(2); // two texts follow
            WriteText(file, name);
            WriteText(file, value);
            file.WriteUvarint((ulong)offsets[i]);
        }

        EndSection(file, lengthAt);
    }
}
