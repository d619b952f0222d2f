using System.Buffers.Binary;
using Lm.Platform;
using Lm.Protocol.Framing;

namespace Lm.Protocol.Tests.Framing;

public sealed class FrameReaderTests
{
    private const int SizeMax = 1 << 20;
    private static readonly byte[] Payload = Batches.Encode(Batches.Heartbeat());
    private static readonly byte[] Compressed = Frames.Of(Payload);
    private static readonly byte[] Plain = Frames.Uncompressed(Payload);

    [Fact]
    public void The_header_has_its_fields_where_the_format_says()
    {
        Assert.Equal("LMFRAME\n"u8.ToArray(), Plain[..8]);
        Assert.Equal(1, BinaryPrimitives.ReadUInt16LittleEndian(Plain.AsSpan(8)));
        Assert.Equal(0, BinaryPrimitives.ReadUInt16LittleEndian(Plain.AsSpan(10)));
        Assert.Equal(1, BinaryPrimitives.ReadUInt16LittleEndian(Compressed.AsSpan(10)));
        Assert.Equal((uint)(Compressed.Length - 24), BinaryPrimitives.ReadUInt32LittleEndian(Compressed.AsSpan(12)));
        Assert.Equal((uint)Payload.Length, BinaryPrimitives.ReadUInt32LittleEndian(Compressed.AsSpan(16)));
        Assert.Equal(
            Crc32C.Compute([.. Compressed[..20], .. Compressed[24..]]), BinaryPrimitives.ReadUInt32LittleEndian(Compressed.AsSpan(20)));
    }

    [Fact]
    public void A_compressed_and_a_plain_frame_give_the_payload_back()
    {
        Assert.True(Compressed.Length < Plain.Length / 2);
        Assert.Equal(Payload, Batches.PayloadOf(Compressed));
        Assert.Equal(Payload, Batches.PayloadOf(Plain));
    }

    [Fact]
    public void What_zstd_cannot_make_smaller_is_stored_as_it_is()
    {
        var noise = new byte[1000];
        new Random(1).NextBytes(noise);

        var frame = Frames.Of(noise);

        Assert.Equal(Frames.Uncompressed(noise), frame);
    }

    [Fact]
    public void A_frame_is_found_at_the_front_of_several()
    {
        Assert.Equal(FrameStatus.Ok, FrameReader.TryRead([.. Compressed, .. Plain], SizeMax, out var first));
        Assert.Equal(Compressed.Length, first.Length);
        Assert.True(first.IsCompressed);
    }

    [Fact]
    public void Every_cut_of_a_frame_is_incomplete()
    {
        for (var length = 0; length < Compressed.Length; length++)
        {
            Assert.Equal(FrameStatus.Incomplete, FrameReader.TryRead(Compressed.AsSpan(0, length), SizeMax, out _));
        }
    }

    [Fact]
    public void Every_flipped_bit_of_several_frames_is_detected()
    {
        byte[][] frames =
        [
            Frames.Of([1]), Frames.Of(new byte[300]), Frames.Uncompressed(Batches.Encode(Batches.Heartbeat(3))), Compressed,
        ];
        foreach (var frame in frames)
        {
            for (var bit = 0; bit < frame.Length * 8; bit++)
            {
                frame[bit / 8] ^= (byte)(1 << (bit % 8));

                // Bytes of a next frame behind it, so that a longer length does not end in Incomplete alone.
                Assert.NotEqual(FrameStatus.Ok, FrameReader.TryRead([.. frame, .. Plain], SizeMax, out _));
                frame[bit / 8] ^= (byte)(1 << (bit % 8));
            }

            Assert.Equal(FrameStatus.Ok, FrameReader.TryRead(frame, SizeMax, out _));
        }
    }

    [Fact]
    public void Other_magic_is_told_from_its_first_byte_on() => Expect(FrameStatus.BadMagic, "X"u8.ToArray(), "begins with 58, not with LMFRAME");

    [Fact]
    public void Another_version_is_named() => Expect(FrameStatus.BadVersion, With(8, 2), "version is 2; only 1 is known");

    [Fact]
    public void An_unknown_flag_is_named() => Expect(FrameStatus.BadFlags, With(10, 3), "flags are 0x0003; only bit 0");

    [Fact]
    public void A_plain_frame_with_two_lengths_is_refused() =>
        Expect(FrameStatus.BadLength, With(10, 0), $"{Compressed.Length - 24} bytes as stored and {Payload.Length} after");

    [Theory]
    [InlineData(12)]
    [InlineData(16)]
    public void An_empty_payload_is_refused(int lengthAt)
    {
        var frame = Compressed.ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(lengthAt), 0);

        Expect(FrameStatus.BadLength, frame, "payload is empty");
    }

    [Theory]
    [InlineData(12, uint.MaxValue)]
    [InlineData(16, uint.MaxValue)]
    [InlineData(12, (uint)SizeMax + 1)]
    [InlineData(16, (uint)SizeMax + 1)]
    public void A_length_above_the_limit_is_refused_from_the_header_before_its_payload_arrives(int lengthAt, uint length)
    {
        var header = Compressed[..24];
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(lengthAt), length);

        Assert.Equal(FrameStatus.TooLarge, FrameReader.TryReadHeader(header, SizeMax, out _));
        Expect(FrameStatus.TooLarge, header, $"has {length} bytes; max_batch_bytes is {SizeMax}");
    }

    [Fact]
    public void A_payload_exactly_at_the_limit_is_taken_and_one_byte_more_is_not()
    {
        Assert.Equal(FrameStatus.Ok, FrameReader.TryRead(Compressed, Payload.Length, out _));
        Assert.Equal(FrameStatus.TooLarge, FrameReader.TryRead(Compressed, Payload.Length - 1, out _));
    }

    [Fact]
    public void A_wrong_checksum_is_shown_beside_the_computed_one()
    {
        var declared = BinaryPrimitives.ReadUInt32LittleEndian(Compressed.AsSpan(20));

        Expect(FrameStatus.BadChecksum, With(20, (byte)(Compressed[20] ^ 1)), $"checksum is {declared ^ 1:x8}, computed {declared:x8}");
    }

    [Fact]
    public void A_cut_is_described_with_both_lengths() =>
        Expect(FrameStatus.Incomplete, Compressed[..100], $"ends after 100 bytes; its header says that it has {Compressed.Length}");

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public void Zstd_of_another_size_than_declared_is_refused_and_writes_nothing_beyond_the_destination(int more)
    {
        var stored = Compressed[24..];
        var frame = new byte[24 + stored.Length];
        stored.CopyTo(frame, 24);
        FrameHeader.Write(frame, isCompressed: true, stored, Payload.Length + more);
        Assert.Equal(FrameStatus.Ok, FrameReader.TryRead(frame, SizeMax, out var found));
        var destination = new byte[found.PayloadLength + 8];

        Assert.Equal(FrameStatus.BadCompression, FrameReader.ReadPayload(frame, found, destination));
        Assert.Equal(new byte[8], destination[found.PayloadLength..]);
        Assert.Contains($"not zstd of exactly {Payload.Length + more} bytes", FrameReader.Describe(FrameStatus.BadCompression, frame, SizeMax), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_zstd_at_all_is_refused()
    {
        byte[] stored = [1, 2, 3, 4, 5];
        var frame = new byte[24 + stored.Length];
        stored.CopyTo(frame, 24);
        FrameHeader.Write(frame, isCompressed: true, stored, 100);
        Assert.Equal(FrameStatus.Ok, FrameReader.TryRead(frame, SizeMax, out var found));

        Assert.Equal(FrameStatus.BadCompression, FrameReader.ReadPayload(frame, found, new byte[100]));
    }

    [Fact]
    public void A_frame_without_a_payload_cannot_be_written()
    {
        Assert.Throws<ArgumentException>(() => FrameWriter.Write([], new byte[1000]));
        Assert.Throws<ArgumentException>(() => FrameWriter.WriteUncompressed([], new byte[1000]));
    }

    private static byte[] With(int at, byte value)
    {
        var frame = Compressed.ToArray();
        frame[at] = value;
        return frame;
    }

    private static void Expect(FrameStatus expected, byte[] bytes, string description)
    {
        var status = FrameReader.TryRead(bytes, SizeMax, out _);

        Assert.Equal(expected, status);
        Assert.Contains(description, FrameReader.Describe(status, bytes, SizeMax), StringComparison.Ordinal);
    }
}
