using FsCheck;
using FsCheck.Fluent;

namespace Lm.Platform.Tests;

public sealed class ZstdTests
{
    private const byte Guard = 0xA5;

    [Fact]
    public void Anything_round_trips_at_any_level() =>
        Prop.ForAll(
            ArbMap.Default.ArbFor<byte[]>(),
            Gen.Choose(1, 12).ToArbitrary(),
            (content, level) =>
            {
                var compressed = Compress(content, level);
                var back = new byte[content.Length];
                return Zstd.TryDecompress(compressed, back) && back.AsSpan().SequenceEqual(content);
            }).QuickCheckThrowOnFailure();

    [Fact]
    public void Large_content_round_trips_and_shrinks()
    {
        var content = new byte[3 << 20];
        for (var i = 0; i < content.Length; i++)
        {
            content[i] = (byte)(i / 1000);
        }

        var compressed = Compress(content, 3);
        Assert.InRange(compressed.Length, 1, content.Length / 50);
        var back = new byte[content.Length];
        Assert.True(Zstd.TryDecompress(compressed, back));
        Assert.Equal(content, back);
    }

    [Fact]
    public void A_destination_of_any_other_length_is_refused_and_nothing_is_written_beyond_it()
    {
        var compressed = Compress(new byte[1000], 3);
        foreach (var length in new[] { 0, 1, 999, 1001, 4096 })
        {
            var memory = Enumerable.Repeat(Guard, length + 64).ToArray();
            Assert.False(Zstd.TryDecompress(compressed, memory.AsSpan(0, length)));
            Assert.All(memory[length..], value => Assert.Equal(Guard, value));
        }
    }

    [Fact]
    public void Truncated_and_mutated_sources_never_crash_and_never_write_beyond_the_destination()
    {
        var random = new Random(7);
        var content = new byte[2000];
        random.NextBytes(content.AsSpan(0, 500));
        var compressed = Compress(content, 3);
        var memory = new byte[content.Length + 64];
        for (var round = 0; round < 50_000; round++)
        {
            var mutant = compressed.AsSpan(0, random.Next(4) == 0 ? random.Next(compressed.Length) : compressed.Length).ToArray();
            for (var change = random.Next(4); change > 0 && mutant.Length > 0; change--)
            {
                mutant[random.Next(mutant.Length)] = (byte)random.Next(256);
            }

            memory.AsSpan(content.Length).Fill(Guard);
            _ = Zstd.TryDecompress(mutant, memory.AsSpan(0, content.Length));
            Assert.True(memory.AsSpan(content.Length).IndexOfAnyExcept(Guard) < 0, $"round {round}");
        }
    }

    [Fact]
    public void A_header_that_asks_for_a_huge_window_allocates_nothing_and_is_refused()
    {
        // magic; no single segment, no content size; window descriptor 0xF8: 2^41 bytes; a last raw block of one byte
        byte[] hostile = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0xF8, 0x09, 0x00, 0x00, 0x41];
        Assert.False(Zstd.TryDecompress(hostile, new byte[1]));

        // 2^31 bytes: as far as the format's usual limit; the content is one byte, and that is all it takes
        hostile[5] = 0xA8;
        var before = Environment.WorkingSet;
        _ = Zstd.TryDecompress(hostile, new byte[1]);
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 64 << 20);
    }

    [Fact]
    public void Only_one_whole_frame_is_taken()
    {
        var one = Compress("content"u8.ToArray(), 3);
        Assert.False(Zstd.TryDecompress([], []));
        Assert.False(Zstd.TryDecompress([.. one, .. one], new byte[14]));
        Assert.False(Zstd.TryDecompress([.. one, 0], new byte[7]));
        byte[] skippable = [0x50, 0x2A, 0x4D, 0x18, 1, 0, 0, 0, 0];
        Assert.False(Zstd.TryDecompress([.. skippable, .. one], new byte[7]));
        Assert.False(Zstd.TryDecompress([.. one, .. skippable], new byte[7]));
        Assert.True(Zstd.TryDecompress(Compress([], 3), []));
    }

    [Fact]
    public void A_destination_that_might_be_too_small_is_a_bug() =>
        Assert.Throws<ArgumentException>(() => Zstd.Compress(new byte[100], new byte[Zstd.CompressedSizeMax(100) - 1]));

    [Theory]
    [InlineData(1, 0, 0, 0, 0, 0, false)]
    [InlineData(8, 6, 16, 16, 17, 2, true)]
    [InlineData(8, 6, 16, 0, 17, 3, false)]
    [InlineData(19, 3, 6, 6, 10, 1, true)]
    public void A_tuned_compressor_makes_frames_that_anyone_reads(int level, int matchMin, int hashLog, int chainLog, int windowLog, int searchLog, bool usesChains)
    {
        var random = new Random(level);
        using var compressor = new ZstdCompressor(level, new ZstdTuning(matchMin, hashLog, chainLog, windowLog, searchLog, usesChains));
        foreach (var length in (int[])[0, 1, 1000, 700_000])
        {
            var content = new byte[length];
            random.NextBytes(content.AsSpan(0, length / 2));
            var target = new byte[Zstd.CompressedSizeMax(length)];
            var back = new byte[length];

            var size = compressor.Compress(content, target);

            Assert.True(Zstd.TryDecompress(target.AsSpan(0, size), back));
            Assert.Equal(content, back);
        }
    }

    [Fact]
    public void A_tuning_that_libzstd_does_not_take_is_refused_by_name() =>
        Assert.Contains("parameter 101", Assert.Throws<ArgumentOutOfRangeException>(static () => new ZstdCompressor(1, new ZstdTuning(0, 0, 0, 99, 0, false))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Threads_do_not_disturb_each_other() =>
        await Task.WhenAll(Enumerable.Range(0, 8).Select(seed => Task.Run(
            () =>
            {
                var random = new Random(seed);
                for (var round = 0; round < 200; round++)
                {
                    var content = new byte[random.Next(20_000)];
                    random.NextBytes(content.AsSpan(0, content.Length / 2));
                    var back = new byte[content.Length];
                    Assert.True(Zstd.TryDecompress(Compress(content, 3), back));
                    Assert.Equal(content, back);
                }
            },
            TestContext.Current.CancellationToken)));

    private static byte[] Compress(byte[] content, int level)
    {
        var target = new byte[Zstd.CompressedSizeMax(content.Length)];
        return target[..Zstd.Compress(content, target, level)];
    }
}
