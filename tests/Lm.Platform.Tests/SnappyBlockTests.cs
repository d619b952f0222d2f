using FsCheck;
using FsCheck.Fluent;
using IronSnappy;

namespace Lm.Platform.Tests;

public sealed class SnappyBlockTests
{
    // Texts of few characters, so that copies of every distance and length occur, and plain bytes.
    private static readonly Gen<byte[]> Repetitive =
        from alphabet in Gen.Choose(1, 5)
        from parts in Gen.Choose(0, alphabet).Select(value => (byte)('a' + value)).ArrayOf()
        from repeats in Gen.Choose(1, 200)
        select Enumerable.Repeat(parts, repeats).SelectMany(part => part).ToArray();

    private static readonly Arbitrary<byte[]> Contents = Gen.OneOf(Repetitive, ArbMap.Default.GeneratorFor<byte[]>()).ToArbitrary();

    [Fact]
    public void What_another_encoder_compressed_is_decompressed() => Prop.ForAll(
        Contents,
        content =>
        {
            var block = Snappy.Encode(content);
            Assert.True(SnappyBlock.TryReadLength(block, out var length));
            Assert.Equal(content.Length, length);
            var decompressed = new byte[length];
            Assert.True(SnappyBlock.TryDecompress(block, decompressed));
            Assert.Equal(content, decompressed);
        }).QuickCheckThrowOnFailure();

    // Written by hand after the format's description: lengths in the tag, in one, two and four bytes; offsets of one, two and four bytes; a run.
    [Theory]
    [InlineData("00", "")]
    [InlineData("0308616263", "abc")]
    [InlineData("03f002616263", "abc")]
    [InlineData("03f40200616263", "abc")]
    [InlineData("03fc02000000616263", "abc")]
    [InlineData("07086162630103", "abcabca")]
    [InlineData("07086162630e0300", "abcabca")]
    [InlineData("07086162630f03000000", "abcabca")]
    [InlineData("0500610101", "aaaaa")]
    public void Golden_blocks_decompress(string hex, string text)
    {
        var block = Convert.FromHexString(hex);
        Assert.True(SnappyBlock.TryReadLength(block, out var length));
        var decompressed = new byte[length];
        Assert.True(SnappyBlock.TryDecompress(block, decompressed));
        Assert.Equal(text, System.Text.Encoding.ASCII.GetString(decompressed));
    }

    [Theory]
    [InlineData("", "no length")]
    [InlineData("80", "a length cut short")]
    [InlineData("8080808080", "a length of six bytes")]
    [InlineData("ffffffff0f", "4 GiB out of nothing")]
    [InlineData("ffffffff070061", "2 GiB out of two bytes")]
    public void A_length_that_cannot_be_is_refused_before_memory_is_taken(string hex, string why)
    {
        Assert.False(SnappyBlock.TryReadLength(Convert.FromHexString(hex), out var length), why);
        Assert.Equal(0, length);
    }

    [Theory]
    [InlineData("0108616263", "more than declared")]
    [InlineData("0408616263", "less than declared")]
    [InlineData("03f0", "a literal without its length")]
    [InlineData("03086162", "a literal cut short")]
    [InlineData("05006101", "a copy without its offset")]
    [InlineData("0500610100", "a copy from nowhere")]
    [InlineData("0500610102", "a copy from before the beginning")]
    [InlineData("0500610f01000080", "an offset of 2 GiB")]
    public void Broken_blocks_are_refused(string hex, string why)
    {
        var block = Convert.FromHexString(hex);
        Assert.True(SnappyBlock.TryReadLength(block, out var length), why);
        Assert.False(SnappyBlock.TryDecompress(block, new byte[length]), why);
    }

    [Fact]
    public void No_bytes_make_it_write_elsewhere_or_throw() => Prop.ForAll(
        ArbMap.Default.ArbFor<(byte[] Bytes, ushort Length)>(),
        input =>
        {
            byte[] block = [(byte)(input.Length & 0x7f), .. input.Bytes];
            var room = new byte[256];
            Array.Fill(room, (byte)0xa5);
            SnappyBlock.TryDecompress(block, room.AsSpan(64, input.Length & 0x7f));
            Assert.All(room[..64], value => Assert.Equal(0xa5, value));
            Assert.All(room[(64 + (input.Length & 0x7f))..], value => Assert.Equal(0xa5, value));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Damaged_blocks_never_write_elsewhere() => Prop.ForAll(
        Contents,
        ArbMap.Default.ArbFor<(ushort At, byte Value)>(),
        (content, damage) =>
        {
            var block = Snappy.Encode(content);
            block[damage.At % block.Length] = damage.Value;
            if (!SnappyBlock.TryReadLength(block, out var length) || length > 1 << 20)
            {
                return;
            }

            var room = new byte[length + 128];
            Array.Fill(room, (byte)0xa5);
            SnappyBlock.TryDecompress(block, room.AsSpan(64, length));
            Assert.All(room[..64], value => Assert.Equal(0xa5, value));
            Assert.All(room[(64 + length)..], value => Assert.Equal(0xa5, value));
        }).QuickCheckThrowOnFailure();
}
