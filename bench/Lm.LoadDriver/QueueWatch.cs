using System.Buffers.Binary;
using Lm.Platform;

namespace Lm.LoadDriver;

/// <summary>Reads an agent's queue from outside while the agent writes it, and notes the batches that the queue vouches for.</summary>
/// <remarks>
/// Written from docs/formats/journal.md and docs/formats/queue.md, not with the product's reader, and only ever reads. A record is vouched for
/// when a record that starts a group follows it in its segment, or when the next segment's header names an end behind it: the writer says with
/// either that it was on stable storage. Nothing that happens to the machine afterwards may lose it.
/// </remarks>
internal sealed class QueueWatch(string directory, AgentLedger ledger, TimeProvider time)
{
    private const int HeaderSize = 48;
    private const int RecordHeadSize = 12;
    private const uint GroupStart = 1u << 31;
    private const uint LengthMask = (1u << 30) - 1;
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(10);

    // Where reading goes on in each segment: the first record that was not vouched for when it was read last.
    private readonly Dictionary<(UInt128 Journal, uint Segment), long> places = [];

    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                Look();
                await Task.Delay(Every, time, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            Look();
        }
    }

    private void Look()
    {
        try
        {
            var ends = new Dictionary<uint, long>();
            foreach (var path in Directory.EnumerateFiles(directory, "*.seg").OrderDescending(StringComparer.Ordinal))
            {
                LookInto(path, ends);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not made yet, or its disk has lost its power: the next look sees what is there then.
        }
    }

    /// <param name="path">A segment.</param>
    /// <param name="ends">The committed ends that the segments after this one name.</param>
    private void LookInto(string path, Dictionary<uint, long> ends)
    {
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var header = Read(file, 0, HeaderSize);
            if (header.Length < HeaderSize || Crc32C.Compute(header.AsSpan(0, 44)) != BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(44)))
            {
                return;
            }

            var number = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(12));
            ends[BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(40))] = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(32));
            var key = (BinaryPrimitives.ReadUInt128BigEndian(header.AsSpan(16)), number);
            var from = places.GetValueOrDefault(key, HeaderSize);
            var salt = Crc32C.Append(Crc32C.Compute(header.AsSpan(16, 16)), header.AsSpan(12, 4));
            var bytes = Read(file, from, (int)Math.Max(0, RandomAccess.GetLength(file) - from));
            places[key] = NoteVouched(bytes, from, salt, ends.GetValueOrDefault(number, -1));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Done with and deleted meanwhile, or the disk is gone.
        }
    }

    private long NoteVouched(byte[] bytes, long from, uint salt, long end)
    {
        var waiting = new List<ReadOnlyMemory<byte>>();
        var (at, vouched) = (0, 0);
        while (TryReadRecord(bytes, at, from, salt, out var payload, out var startsGroup) && (end < 0 || from + at < end))
        {
            if (startsGroup)
            {
                waiting.ForEach(NoteRecord);
                waiting.Clear();
                vouched = at;
            }

            waiting.Add(payload);
            at += RecordHeadSize + payload.Length;
        }

        if (from + at == end)
        {
            waiting.ForEach(NoteRecord);
            vouched = at;
        }

        return from + vouched;
    }

    private static bool TryReadRecord(byte[] bytes, int at, long from, uint salt, out ReadOnlyMemory<byte> payload, out bool startsGroup)
    {
        (payload, startsGroup) = (default, false);
        if (bytes.Length - at < RecordHeadSize)
        {
            return false;
        }

        var head = bytes.AsSpan(at, RecordHeadSize);
        Span<byte> offset = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(offset, from + at);
        var first = BinaryPrimitives.ReadUInt32LittleEndian(head);
        var length = (int)(first & LengthMask);
        if (Crc32C.Append(Crc32C.Append(salt, offset), head[..8]) != BinaryPrimitives.ReadUInt32LittleEndian(head[8..])
            || length > bytes.Length - at - RecordHeadSize
            || Crc32C.Append(salt, bytes.AsSpan(at + RecordHeadSize, length)) != BinaryPrimitives.ReadUInt32LittleEndian(head[4..]))
        {
            return false;
        }

        (payload, startsGroup) = (bytes.AsMemory(at + RecordHeadSize, length), (first & GroupStart) != 0);
        return true;
    }

    // Version 1, kind 1 is a batch: its frame follows the record's own head.
    private void NoteRecord(ReadOnlyMemory<byte> payload)
    {
        if (payload.Span is [1, 1, ..])
        {
            ledger.Note(payload[(int)BinaryPrimitives.ReadUInt32LittleEndian(payload.Span[4..])..], "queued");
        }
    }

    private static byte[] Read(Microsoft.Win32.SafeHandles.SafeFileHandle file, long offset, int count)
    {
        var bytes = new byte[count];
        var have = 0;
        while (have < count)
        {
            var read = RandomAccess.Read(file, bytes.AsSpan(have), offset + have);
            if (read == 0)
            {
                break;
            }

            have += read;
        }

        return bytes[..have];
    }
}
