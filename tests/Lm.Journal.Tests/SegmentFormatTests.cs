using FsCheck;
using FsCheck.Fluent;

namespace Lm.Journal.Tests;

public sealed class SegmentFormatTests
{
    private static readonly Guid Id = new("00112233-4455-6677-8899-aabbccddeeff");

    [Fact]
    public void File_names_have_ten_digits() => Assert.Equal("0000000042.seg", SegmentFormat.FileName(42));

    [Theory]
    [InlineData("0000000042.seg", 42u)]
    [InlineData("4294967294.seg", uint.MaxValue - 1)]
    public void File_names_are_read_back(string name, uint expected)
    {
        Assert.True(SegmentFormat.TryParseFileName(name, out var number));
        Assert.Equal(expected, number);
    }

    [Theory]
    [InlineData("42.seg")]
    [InlineData("4294967295.seg")]
    [InlineData("0000000042.seg.48.damaged")]
    [InlineData("+000000042.seg")]
    [InlineData("journal.id")]
    public void Other_names_are_not_segments(string name) => Assert.False(SegmentFormat.TryParseFileName(name, out _));

    [Fact]
    public void Any_segment_header_round_trips() =>
        Prop.ForAll(
            ArbMap.Default.ArbFor<(Guid Journal, uint Segment, uint Previous, long End, bool IsFirst)>(),
            given =>
            {
                uint? previous = given.IsFirst || given.Previous == uint.MaxValue ? null : given.Previous;
                var header = new SegmentHeader(given.Journal, given.Segment, previous, given.End);
                var bytes = new byte[SegmentFormat.HeaderSize];
                SegmentFormat.WriteHeader(bytes, header);
                return SegmentFormat.TryReadHeader(bytes, "x", out var back) && back == header;
            }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_record_header_round_trips_and_only_at_its_place() =>
        Prop.ForAll(
            ArbMap.Default.ArbFor<(uint Salt, PositiveInt Size, bool Starts, bool IsPreamble, uint Checksum)>(),
            ArbMap.Default.ArbFor<(PositiveInt Offset, PositiveInt Shift)>(),
            (given, place) =>
            {
                var header = new RecordHeader(given.Size.Get & SegmentFormat.RecordSizeLimit, given.Starts, given.IsPreamble, given.Checksum);
                var bytes = new byte[SegmentFormat.RecordHeaderSize];
                SegmentFormat.WriteRecordHeader(bytes, given.Salt, place.Offset.Get, header);
                return SegmentFormat.TryReadRecordHeader(bytes, given.Salt, place.Offset.Get, out var back)
                    && back == header
                    && !SegmentFormat.TryReadRecordHeader(bytes, given.Salt, place.Offset.Get + place.Shift.Get, out _)
                    && !SegmentFormat.TryReadRecordHeader(bytes, given.Salt + 1, place.Offset.Get, out _);
            }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_flipped_bit_anywhere_in_a_segment_header_is_detected()
    {
        var bytes = new byte[SegmentFormat.HeaderSize];
        SegmentFormat.WriteHeader(bytes, new SegmentHeader(Id, 7, 6, 4711));
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(SegmentFormat.TryReadHeader(bytes, "x", out _), $"bit {bit}");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Salts_differ_between_segments_and_journals()
    {
        Assert.NotEqual(SegmentFormat.Salt(Id, 1), SegmentFormat.Salt(Id, 2));
        Assert.NotEqual(SegmentFormat.Salt(Id, 1), SegmentFormat.Salt(Guid.Empty, 1));
    }
}
