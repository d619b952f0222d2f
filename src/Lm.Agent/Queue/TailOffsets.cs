using System.Buffers.Binary;
using System.Text;
using Lm.Platform.Files;

namespace Lm.Agent.Queue;

/// <summary>All tail offsets of a queue: the fold of its records. Guarded by the queue's gate.</summary>
internal sealed class TailOffsets
{
    /// <summary>The most entries: their number has two bytes in a record.</summary>
    public const int CountMax = ushort.MaxValue;

    private readonly Dictionary<TailKey, TailOffset> all = [];

    /// <summary>Bytes that a snapshot's entries take.</summary>
    public int SizeBytes { get; private set; }

    public void Apply(TailOffset change)
    {
        if (all.Remove(change.Key, out var old))
        {
            SizeBytes -= TailOffsetCodec.SizeOf(old);
        }

        if (!change.IsRemoved && all.Count < CountMax)
        {
            all.Add(change.Key, change);
            SizeBytes += TailOffsetCodec.SizeOf(change);
        }
    }

    public void Clear()
    {
        all.Clear();
        SizeBytes = 0;
    }

    public TailOffset[] Snapshot() => [.. all.Values];
}

/// <summary>The bytes of a <see cref="TailOffset"/> in a record of the queue. Format: docs/formats/queue.md.</summary>
internal static class TailOffsetCodec
{
    /// <summary>Bytes of an entry without its texts.</summary>
    public const int FixedSize = 52;

    public static int SizeOf(TailOffset entry) => FixedSize + Encoding.UTF8.GetByteCount(entry.Input) + Encoding.UTF8.GetByteCount(entry.Text);

    public static int SizeOf(IReadOnlyList<TailOffset> entries)
    {
        var size = 0;
        for (var i = 0; i < entries.Count; i++)
        {
            size += SizeOf(entries[i]);
        }

        return size;
    }

    /// <summary>Writes an entry.</summary>
    /// <returns>What is left of <paramref name="to"/>.</returns>
    public static Span<byte> Write(Span<byte> to, TailOffset entry)
    {
        var inputLength = Encoding.UTF8.GetBytes(entry.Input, to[FixedSize..]);
        var textLength = Encoding.UTF8.GetBytes(entry.Text, to[(FixedSize + inputLength)..]);
        var size = FixedSize + inputLength + textLength;
        BinaryPrimitives.WriteUInt16LittleEndian(to, checked((ushort)size));
        to[2] = (byte)entry.Kind;
        to[3] = entry.IsRemoved ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt64LittleEndian(to[4..], entry.Identity.Device);
        BinaryPrimitives.WriteUInt64LittleEndian(to[12..], entry.Identity.Inode);
        BinaryPrimitives.WriteInt64LittleEndian(to[20..], entry.Offset);
        BinaryPrimitives.WriteInt64LittleEndian(to[28..], entry.MetAt);
        BinaryPrimitives.WriteUInt16LittleEndian(to[36..], entry.Fingerprint.HeadLength);
        BinaryPrimitives.WriteUInt32LittleEndian(to[38..], entry.Fingerprint.Head);
        BinaryPrimitives.WriteUInt16LittleEndian(to[42..], entry.Fingerprint.TailLength);
        BinaryPrimitives.WriteUInt32LittleEndian(to[44..], entry.Fingerprint.Tail);
        BinaryPrimitives.WriteUInt16LittleEndian(to[48..], (ushort)inputLength);
        BinaryPrimitives.WriteUInt16LittleEndian(to[50..], (ushort)textLength);
        return to[size..];
    }

    /// <summary>Reads entries that stand behind one another.</summary>
    /// <param name="from">Begins with the first one.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="entries">What they say.</param>
    /// <param name="size">The bytes that they take.</param>
    /// <returns>False when they do not lie within the bytes or are none.</returns>
    public static bool TryRead(ReadOnlySpan<byte> from, int count, out TailOffset[] entries, out int size)
    {
        (entries, size) = ([], 0);
        if ((long)count * FixedSize > from.Length)
        {
            return false;
        }

        var read = new TailOffset[count];
        for (var i = 0; i < count; i++)
        {
            if (!TryReadOne(from[size..], out read[i], out var length))
            {
                return false;
            }

            size += length;
        }

        entries = read;
        return true;
    }

    private static bool TryReadOne(ReadOnlySpan<byte> from, out TailOffset entry, out int size)
    {
        (entry, size) = (null!, 0);
        if (from.Length < FixedSize)
        {
            return false;
        }

        size = BinaryPrimitives.ReadUInt16LittleEndian(from);
        var inputLength = BinaryPrimitives.ReadUInt16LittleEndian(from[48..]);
        var textLength = BinaryPrimitives.ReadUInt16LittleEndian(from[50..]);
        if (size > from.Length || size < FixedSize + inputLength + textLength || from[2] is < (byte)TailKind.File or > (byte)TailKind.Journal || from[3] > 1
            || BinaryPrimitives.ReadInt64LittleEndian(from[20..]) < 0)
        {
            return false;
        }

        entry = new TailOffset
        {
            Kind = (TailKind)from[2],
            IsRemoved = from[3] == 1,
            Identity = new FileIdentity(BinaryPrimitives.ReadUInt64LittleEndian(from[4..]), BinaryPrimitives.ReadUInt64LittleEndian(from[12..])),
            Offset = BinaryPrimitives.ReadInt64LittleEndian(from[20..]),
            MetAt = BinaryPrimitives.ReadInt64LittleEndian(from[28..]),
            Fingerprint = new Fingerprint(
                BinaryPrimitives.ReadUInt16LittleEndian(from[36..]), BinaryPrimitives.ReadUInt32LittleEndian(from[38..]),
                BinaryPrimitives.ReadUInt16LittleEndian(from[42..]), BinaryPrimitives.ReadUInt32LittleEndian(from[44..])),
            Input = Encoding.UTF8.GetString(from.Slice(FixedSize, inputLength)),
            Text = Encoding.UTF8.GetString(from.Slice(FixedSize + inputLength, textLength)),
        };
        return true;
    }
}
