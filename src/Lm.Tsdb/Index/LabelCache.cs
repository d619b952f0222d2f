using System.Text;
using Lm.Platform;

namespace Lm.Tsdb.Index;

/// <summary>Texts and label sets that were decoded from blocks, shared by all of them: a series that is in many blocks has one label set.</summary>
/// <remarks>Tables of fixed size where a newcomer takes the place of what was there, so the memory is bounded: some 40 MiB at usual label sets.
/// Safe for concurrent use: entries are immutable, and a lost race costs a second decoding.</remarks>
public sealed class LabelCache
{
    private const int Slots = 1 << 16;

    private readonly string?[] texts = new string?[Slots];
    private readonly LabelSet?[] sets = new LabelSet?[Slots];
    private readonly Entry?[] series = new Entry?[Slots * 2];
    private int blocks;

    /// <summary>A number that tells a block's series from other blocks'.</summary>
    internal int NextBlock() => Interlocked.Increment(ref blocks);

    internal string Text(ReadOnlySpan<byte> utf8)
    {
        ref var slot = ref texts[Crc32C.Compute(utf8) % Slots];
        var found = Volatile.Read(ref slot);
        if (found is not null && found.Length == utf8.Length && Ascii.Equals(utf8, found))
        {
            return found;
        }

        found = Utf8Order.Encoding.GetString(utf8);
        Volatile.Write(ref slot, found);
        return found;
    }

    internal LabelSet? Find(int block, uint reference) =>
        Volatile.Read(ref SlotOf(block, reference)) is { } entry && entry.Block == block && entry.Reference == reference ? entry.Labels : null;

    /// <summary>Keeps a series' labels.</summary>
    /// <returns>The same labels, as one object with those of other blocks if they are still known.</returns>
    internal LabelSet Keep(int block, uint reference, LabelSet labels)
    {
        ref var slot = ref sets[(uint)labels.GetHashCode() % Slots];
        var same = Volatile.Read(ref slot);
        if (labels.Equals(same))
        {
            labels = same!;
        }
        else
        {
            Volatile.Write(ref slot, labels);
        }

        Volatile.Write(ref SlotOf(block, reference), new Entry(block, reference, labels));
        return labels;
    }

    private ref Entry? SlotOf(int block, uint reference) => ref series[((reference * 0x9E3779B1u) ^ ((uint)block * 0x85EBCA6Bu)) % (uint)series.Length];

    private sealed class Entry(int block, uint reference, LabelSet labels)
    {
        public int Block => block;

        public uint Reference => reference;

        public LabelSet Labels => labels;
    }
}
