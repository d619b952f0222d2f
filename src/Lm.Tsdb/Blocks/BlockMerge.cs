using Lm.Tsdb.Chunks;
using Lm.Tsdb.Index;

namespace Lm.Tsdb.Blocks;

/// <summary>Several blocks' series as one stream. Chunks are copied as they are, except where blocks overlap, and where several small ones follow
/// each other: those are decoded and become chunks of 120 samples.</summary>
/// <param name="blocks">The blocks, in order of precedence; held by the caller.</param>
internal sealed class BlockMerge(IReadOnlyList<BlockReader> blocks)
{
    // Below it a chunk costs more than it need: a window of two hours at one sample a minute makes 120, at one in five minutes 24.
    private const int SmallSamples = 100;

    private readonly List<Part> parts = []; // one series' chunks of all blocks, by time
    private readonly SampleBuffer pending = new();
    private readonly SampleMerge merge = new();

    public void WriteTo(BlockWriter writer, CancellationToken cancellationToken)
    {
        var next = new PriorityQueue<Cursor, Cursor>(Comparer<Cursor>.Create(static (left, right) => left.CompareTo(right)));
        for (var i = 0; i < blocks.Count; i++)
        {
            Advance(next, new Cursor(blocks[i], i));
        }

        while (next.TryPeek(out var first, out _))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var labels = first.Labels;
            parts.Clear();
            while (next.TryPeek(out var cursor, out _) && cursor.Labels.Equals(labels))
            {
                next.Dequeue();
                Collect(cursor);
                Advance(next, cursor);
            }

            writer.BeginSeries(labels);
            WriteChunks(writer);
        }
    }

    private static void Advance(PriorityQueue<Cursor, Cursor> next, Cursor cursor)
    {
        if (cursor.MoveNext())
        {
            next.Enqueue(cursor, cursor);
        }
    }

    private void Collect(Cursor cursor)
    {
        for (var chunks = cursor.Block.Index.ChunksOf(cursor.Series); chunks.MoveNext();)
        {
            parts.Add(new Part(cursor.Number, chunks.Current));
        }
    }

    private void WriteChunks(BlockWriter writer)
    {
        parts.Sort(static (left, right) => (left.Chunk.MinTime, left.Block).CompareTo((right.Chunk.MinTime, right.Block)));
        pending.Clear();
        for (var at = 0; at < parts.Count;)
        {
            var end = EndOfGroup(at);
            if (IsCopied(at, end))
            {
                Flush(writer);
                var chunk = parts[at].Chunk;
                writer.AddChunk(chunk.MinTime, chunk.MaxTime, blocks[parts[at].Block].ChunkBytes(chunk.Reference));
            }
            else
            {
                Decode(at, end);
            }

            at = end;
        }

        Flush(writer);
    }

    // Chunks that overlap, directly or by others between them.
    private int EndOfGroup(int at)
    {
        var until = parts[at].Chunk.MaxTime;
        for (at++; at < parts.Count && parts[at].Chunk.MinTime <= until; at++)
        {
            until = Math.Max(until, parts[at].Chunk.MaxTime);
        }

        return at;
    }

    private bool IsCopied(int at, int end) =>
        end == at + 1 && (!IsSmall(at) || (pending.Count == 0 && (end == parts.Count || (EndOfGroup(end) == end + 1 && !IsSmall(end)))));

    private bool IsSmall(int at) => XorChunkReader.CountOf(blocks[parts[at].Block].ChunkBytes(parts[at].Chunk.Reference)) < SmallSamples;

    private void Decode(int from, int end)
    {
        var start = pending.Count;
        for (var block = 0; block < blocks.Count; block++)
        {
            var second = pending.Count;
            for (var at = from; at < end; at++)
            {
                if (parts[at].Block == block)
                {
                    blocks[block].ReadChunk(parts[at].Chunk.Reference, pending);
                }
            }

            merge.Merge(pending, start, second);
        }
    }

    private void Flush(BlockWriter writer)
    {
        writer.AddSamples(pending.Times, pending.Values);
        pending.Clear();
    }

    private readonly record struct Part(int Block, ChunkReference Chunk);

    /// <summary>A place in a block's series.</summary>
    private sealed class Cursor(BlockReader block, int number)
    {
        private readonly uint[] all = block.Index.AllSeries();
        private int at = -1;

        public BlockReader Block => block;

        public int Number => number;

        public uint Series => all[at];

        public LabelSet Labels { get; private set; } = new();

        public bool MoveNext()
        {
            if (++at == all.Length)
            {
                return false;
            }

            var labels = block.Index.DecodeLabels(all[at]);
            if (at > 0 && labels.CompareTo(Labels) <= 0)
            {
                throw new BlockDamageException(Path.Combine(block.Folder, BlockPaths.Index), (long)all[at] * IndexFormat.SeriesAlignment, $"series {labels} does not come behind {Labels}");
            }

            Labels = labels;
            return true;
        }

        public int CompareTo(Cursor other)
        {
            var order = Labels.CompareTo(other.Labels);
            return order != 0 ? order : number.CompareTo(other.Number);
        }
    }
}
