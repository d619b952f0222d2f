namespace Lm.Collector.Ingest;

/// <summary>The fingerprints of a queue's recent sequences, the highest ones winning.</summary>
/// <remarks>A table indexed by sequence modulo its size, which doubles up to <see cref="SizeMax"/> before any entry is overwritten. A higher
/// sequence overwrites a lower one, never the other way round; so when a slot holds nothing or a lower sequence than the one asked for,
/// that one was never put in.</remarks>
internal sealed class FrameMemory
{
    /// <summary>How many sequences are remembered.</summary>
    public const int SizeMax = 4096;

    private const int SizeMin = 16;
    private Entry[] entries = new Entry[SizeMin];

    /// <summary>The entries in use, in no order.</summary>
    public IEnumerable<Entry> Entries => entries.Where(entry => entry.Sequence != 0);

    /// <summary>Remembers a frame by its first sequence.</summary>
    public void Put(ulong sequence, FrameFingerprint fingerprint)
    {
        while (entries.Length < SizeMax && Slot(sequence) is { Sequence: not 0 } other && other.Sequence != sequence)
        {
            Grow();
        }

        ref var slot = ref Slot(sequence);
        if (slot.Sequence <= sequence)
        {
            slot = new Entry(sequence, fingerprint);
        }
    }

    /// <summary>What is known of a sequence as the first one of a frame.</summary>
    public FrameKnowledge Find(ulong sequence, out FrameFingerprint fingerprint)
    {
        var slot = Slot(sequence);
        fingerprint = slot.Fingerprint;
        if (slot.Sequence == sequence)
        {
            return FrameKnowledge.Remembered;
        }

        return slot.Sequence < sequence ? FrameKnowledge.NeverPut : FrameKnowledge.Forgotten;
    }

    private ref Entry Slot(ulong sequence) => ref entries[sequence & (ulong)(entries.Length - 1)];

    private void Grow()
    {
        var old = entries;
        entries = new Entry[old.Length * 2];
        foreach (var entry in old)
        {
            if (entry.Sequence != 0)
            {
                Slot(entry.Sequence) = entry; // entries that differed modulo the old size differ modulo the new one
            }
        }
    }

    /// <summary>One remembered frame; sequence 0 is an empty slot.</summary>
    internal readonly record struct Entry(ulong Sequence, FrameFingerprint Fingerprint);
}

/// <summary>What a <see cref="FrameMemory"/> knows of a sequence.</summary>
internal enum FrameKnowledge
{
    /// <summary>It was put in and is still there.</summary>
    Remembered,

    /// <summary>It was never put in.</summary>
    NeverPut,

    /// <summary>It may have been; a higher one took its place.</summary>
    Forgotten,
}
