using System.Buffers.Binary;
using Lm.Logs.Lines;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Logs.Files;

/// <summary>Makes the index of a file from the file alone, whatever of it is damaged.</summary>
internal static class FileSurvey
{
    private static readonly byte[] FrameMagic = [0x28, 0xB5, 0x2F, 0xFD];

    /// <summary>Reads a file's first bytes through.</summary>
    /// <param name="file">The file.</param>
    /// <param name="length">How many bytes count.</param>
    /// <param name="bodyBytes">Bytes of all bodies.</param>
    /// <param name="damaged">How many places could not be read.</param>
    /// <returns>The index; not completed.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static IndexBuilder Run(IFileHandle file, long length, out long bodyBytes, out int damaged)
    {
        var bytes = new byte[checked((int)Math.Min(length, file.Length))];
        var read = file.Read(0, bytes);
        return Run(bytes.AsSpan(0, read), out bodyBytes, out damaged);
    }

    /// <summary>Adds what a frame's lines tell.</summary>
    /// <returns>Null when they are no lines.</returns>
    public static FrameInfo? Describe(IndexBuilder builder, LineReader reader, byte[] raw, FrameInfo place, out long bodyBytes)
    {
        bodyBytes = 0;
        var streams = new SortedSet<int>();
        var (lines, minTime, maxTime) = (0, long.MaxValue, long.MinValue);
        for (var at = 0; at < place.RawSize;)
        {
            var length = raw.AsSpan(at, place.RawSize - at).IndexOf((byte)'\n');
            if (length < 0 || !reader.TryReadHead(raw.AsSpan(at, length), out var time, out var text)
                || !reader.TryReadRest(raw, at, length, time, text, out var line))
            {
                return null;
            }

            streams.Add(builder.NumberOf(line.Stream));
            builder.AddBody(line.Body);
            bodyBytes += line.Body.Length;
            lines++;
            (minTime, maxTime) = (Math.Min(minTime, time), Math.Max(maxTime, time));
            at += length + 1;
        }

        return lines == 0 ? null : place with { Lines = lines, MinTime = minTime, MaxTime = maxTime, Streams = [.. streams] };
    }

    private static IndexBuilder Run(ReadOnlySpan<byte> bytes, out long bodyBytes, out int damaged)
    {
        var builder = new IndexBuilder();
        var reader = new LineReader(new StreamTexts(static _ => true));
        var raw = Array.Empty<byte>();
        (bodyBytes, damaged) = (0, 0);
        var wasDamaged = false;
        for (var at = 0; at < bytes.Length;)
        {
            var isMeasured = Zstd.TryMeasure(bytes[at..], out var size, out var contentSize, out var isSkippable) && contentSize <= FrameInfo.RawSizeMax;
            if (isMeasured && isSkippable)
            {
                at += size;
                continue;
            }

            if (isMeasured && TryDescribe(builder, reader, bytes.Slice(at, size), (int)contentSize, at, ref raw, out var frameBodies))
            {
                (wasDamaged, bodyBytes) = (false, bodyBytes + frameBodies);
                at += size;
                continue;
            }

            // Where the next frame begins is not known: every place that looks like a beginning is tried.
            damaged += wasDamaged ? 0 : 1;
            wasDamaged = true;
            var next = bytes[(at + 1)..].IndexOf(FrameMagic);
            at = next < 0 ? bytes.Length : at + 1 + next;
        }

        return builder;
    }

    private static bool TryDescribe(IndexBuilder builder, LineReader reader, ReadOnlySpan<byte> frame, int rawSize, long offset, ref byte[] raw, out long bodyBytes)
    {
        bodyBytes = 0;
        if (BinaryPrimitives.ReadUInt32LittleEndian(frame) != BinaryPrimitives.ReadUInt32LittleEndian(FrameMagic))
        {
            return false;
        }

        raw = raw.Length >= rawSize ? raw : new byte[rawSize];
        if (!Zstd.TryDecompress(frame, raw.AsSpan(0, rawSize)))
        {
            return false;
        }

        var place = new FrameInfo
        {
            Offset = offset,
            Size = frame.Length,
            RawSize = rawSize,
            Lines = 0,
            MinTime = 0,
            MaxTime = 0,
            Checksum = Crc32C.Compute(frame),
            Streams = [],
        };
        if (Describe(builder, reader, raw, place, out bodyBytes) is not { } info)
        {
            return false;
        }

        builder.AddFrame(info);
        return true;
    }
}
