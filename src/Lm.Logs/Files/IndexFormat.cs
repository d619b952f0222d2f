using System.Buffers.Binary;
using System.Text;
using Lm.Logs.Lines;
using Lm.Platform;

namespace Lm.Logs.Files;

/// <summary>The bytes of an index file: a header, then records that each carry their checksum. Docs: docs/formats/log.md.</summary>
internal static class IndexFormat
{
    /// <summary>Bytes of the header.</summary>
    public const int HeaderSize = 16;

    private const int Version = 1;
    private const int RecordHead = 5; // length and kind

    private enum Kind : byte
    {
        Stream = 1,
        Frame = 2,
        Filter = 3,
        End = 4,
    }

    private static ReadOnlySpan<byte> Magic => "LMLOGIX\n"u8;

    /// <summary>Adds the header.</summary>
    public static void WriteHeader(ByteBuffer to)
    {
        var header = to.Reserve(HeaderSize)[..HeaderSize];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], 0);
        to.Take(HeaderSize);
    }

    /// <summary>Adds a stream; its number is how many came before it.</summary>
    public static void WriteStream(ByteBuffer to, LogStream stream)
    {
        var start = Begin(to, Kind.Stream);
        Varint(to, (ulong)stream.Labels.Count);
        foreach (var (name, value) in stream.Labels)
        {
            Text(to, name);
            Text(to, value);
        }

        End(to, start);
    }

    /// <summary>Adds a frame.</summary>
    public static void WriteFrame(ByteBuffer to, FrameInfo frame)
    {
        var start = Begin(to, Kind.Frame);
        Varint(to, (ulong)frame.Offset);
        Varint(to, (ulong)frame.Size);
        Varint(to, (ulong)frame.RawSize);
        Varint(to, (ulong)frame.Lines);
        Varint(to, (ulong)frame.MinTime);
        Varint(to, (ulong)(frame.MaxTime - frame.MinTime));
        BinaryPrimitives.WriteUInt32LittleEndian(to.Reserve(sizeof(uint)), frame.Checksum);
        to.Take(sizeof(uint));
        Varint(to, (ulong)frame.Streams.Length);
        var last = -1;
        foreach (var number in frame.Streams)
        {
            Varint(to, (ulong)(number - last - 1));
            last = number;
        }

        End(to, start);
    }

    /// <summary>Adds the filter of all frames that have none yet.</summary>
    public static void WriteFilter(ByteBuffer to, ReadOnlySpan<byte> stored)
    {
        var start = Begin(to, Kind.Filter);
        to.Add(stored);
        End(to, start);
    }

    /// <summary>Adds the end: the index tells about the whole of its file.</summary>
    /// <param name="to">Where to.</param>
    /// <param name="fileLength">The file's bytes, its footer included.</param>
    public static void WriteEnd(ByteBuffer to, long fileLength)
    {
        var start = Begin(to, Kind.End);
        Varint(to, (ulong)fileLength);
        End(to, start);
    }

    /// <summary>Reads an index.</summary>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="index">What it tells.</param>
    /// <param name="fileLength">The length of its file, as its end says; -1 when it has no end: it is of a file that grows.</param>
    /// <returns>What is wrong; null when nothing.</returns>
    public static string? Read(ReadOnlySpan<byte> bytes, out FileIndex index, out long fileLength)
    {
        index = new FileIndex();
        fileLength = -1;
        if (bytes.Length < HeaderSize || !bytes.StartsWith(Magic))
        {
            return "it does not begin as an index does";
        }

        if (BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]) != Version || BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]) != 0)
        {
            return $"its version is {BinaryPrimitives.ReadInt32LittleEndian(bytes[8..])}; this program reads {Version}";
        }

        for (var at = HeaderSize; at < bytes.Length;)
        {
            var size = bytes.Length - at < RecordHead + sizeof(uint) ? -1 : BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]);
            if (size < 0 || size > bytes.Length - at - RecordHead - sizeof(uint))
            {
                return $"byte {at}: a record is cut off";
            }

            var content = bytes.Slice(at, RecordHead + size);
            if (Crc32C.Compute(content) != BinaryPrimitives.ReadUInt32LittleEndian(bytes[(at + content.Length)..]))
            {
                return $"byte {at}: the checksum of a record is wrong";
            }

            if (fileLength >= 0 || !TryRead((Kind)content[4], new Cursor(content[RecordHead..]), index, ref fileLength))
            {
                return $"byte {at}: a record of kind {content[4]} that makes no sense";
            }

            at += content.Length + sizeof(uint);
        }

        return null;
    }

    private static bool TryRead(Kind kind, Cursor cursor, FileIndex index, ref long fileLength)
    {
        switch (kind)
        {
            case Kind.Stream:
                var stream = ReadStream(ref cursor);
                index.Add(stream);
                return !cursor.IsBroken && cursor.IsAtEnd && stream.Instance.Length > 0;
            case Kind.Frame:
                return ReadFrame(ref cursor, index);
            case Kind.Filter when GramFilter.IsSize(cursor.Rest.Length):
                index.AddFilter(cursor.Rest.ToArray());
                return true;
            case Kind.End:
                fileLength = cursor.Number(long.MaxValue);
                return !cursor.IsBroken && cursor.IsAtEnd;
            default:
                return false;
        }
    }

    private static LogStream ReadStream(ref Cursor cursor)
    {
        var count = cursor.Number(cursor.Rest.Length);
        var labels = new List<LogField>();
        for (var i = 0L; i < count && !cursor.IsBroken; i++)
        {
            labels.Add(new LogField(cursor.Text(), cursor.Text()));
        }

        return new LogStream(labels);
    }

    private static bool ReadFrame(ref Cursor cursor, FileIndex index)
    {
        var offset = cursor.Number(long.MaxValue);
        var (size, rawSize, lines) = (cursor.Number(int.MaxValue), cursor.Number(FrameInfo.RawSizeMax), cursor.Number(int.MaxValue));
        var minTime = cursor.Number(LineTime.Max);
        var span = cursor.Number(LineTime.Max - minTime);
        var checksum = cursor.UInt32();
        var streams = new int[cursor.Number(cursor.Rest.Length)];
        var last = -1L;
        for (var i = 0; i < streams.Length; i++)
        {
            last += 1 + cursor.Number(int.MaxValue);
            if (last >= index.Streams.Count)
            {
                return false;
            }

            streams[i] = (int)last;
        }

        index.Add(new FrameInfo
        {
            Offset = offset,
            Size = (int)size,
            RawSize = (int)rawSize,
            Lines = (int)lines,
            MinTime = minTime,
            MaxTime = minTime + span,
            Checksum = checksum,
            Streams = streams,
        });
        return !cursor.IsBroken && cursor.IsAtEnd;
    }

    private static int Begin(ByteBuffer to, Kind kind)
    {
        var start = to.Length;
        to.Reserve(RecordHead)[sizeof(int)] = (byte)kind;
        to.Take(RecordHead);
        return start;
    }

    private static void End(ByteBuffer to, int start)
    {
        BinaryPrimitives.WriteInt32LittleEndian(to.Written[start..], to.Length - start - RecordHead);
        var checksum = Crc32C.Compute(to.Written[start..]);
        BinaryPrimitives.WriteUInt32LittleEndian(to.Reserve(sizeof(uint)), checksum);
        to.Take(sizeof(uint));
    }

    private static void Text(ByteBuffer to, string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        Varint(to, (ulong)utf8.Length);
        to.Add(utf8);
    }

    private static void Varint(ByteBuffer to, ulong value)
    {
        while (value >= 0x80)
        {
            to.Add((byte)(value | 0x80));
            value >>= 7;
        }

        to.Add((byte)value);
    }

    private ref struct Cursor(ReadOnlySpan<byte> bytes)
    {
        public ReadOnlySpan<byte> Rest { get; private set; } = bytes;

        public bool IsBroken { get; private set; }

        public readonly bool IsAtEnd => Rest.IsEmpty;

        // Numbers are bounded by what they count, so that no length allocates what is not there.
        public long Number(long max)
        {
            ulong value = 0;
            for (var i = 0; i < 10 && i < Rest.Length; i++)
            {
                value |= (ulong)(Rest[i] & 0x7f) << (7 * i);
                if (Rest[i] < 0x80)
                {
                    Rest = Rest[(i + 1)..];
                    return value <= (ulong)max ? (long)value : Break();
                }
            }

            return Break();
        }

        public uint UInt32()
        {
            if (Rest.Length < sizeof(uint))
            {
                Break();
                return 0;
            }

            var value = BinaryPrimitives.ReadUInt32LittleEndian(Rest);
            Rest = Rest[sizeof(uint)..];
            return value;
        }

        public string Text()
        {
            var length = (int)Number(int.MaxValue);
            if (IsBroken || length > Rest.Length)
            {
                Break();
                return "";
            }

            var text = Encoding.UTF8.GetString(Rest[..length]);
            Rest = Rest[length..];
            return text;
        }

        private long Break()
        {
            IsBroken = true;
            Rest = default;
            return 0;
        }
    }
}
