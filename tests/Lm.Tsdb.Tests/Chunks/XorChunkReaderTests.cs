using FsCheck;
using FsCheck.Fluent;
using Lm.Tsdb.Chunks;

namespace Lm.Tsdb.Tests.Chunks;

public sealed class XorChunkReaderTests
{
    private static readonly Arbitrary<((long Time, double Value)[] Samples, long From, long Until)> Questions = Arb.From(
        from samples in TestData.Samples(maxCount: 200)
        from first in Gen.Choose(-1, 200)
        from last in Gen.Choose(-1, 200)
        from slack in Gen.Choose(-1, 1)
        select (samples, Limit(samples, first, long.MinValue) + slack * (first >= 0 ? 1 : 0), Limit(samples, last, long.MaxValue)));

    [Fact]
    public void It_reads_what_a_chunk_holds_of_any_range() => Prop.ForAll(Questions, question =>
    {
        var bytes = Encode(question.Samples);
        var into = new SampleBuffer();
        into.Add(-7, -7);

        var isWhole = XorChunkReader.TryRead(bytes, question.From, question.Until, into);

        var expected = question.Samples.Where(sample => sample.Time >= question.From && sample.Time <= question.Until).Prepend((-7, -7));
        return isWhole && TestData.Same(expected, into);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    [Fact]
    public void It_agrees_with_the_chunk_own_reader_for_a_chunk_still_open()
    {
        var chunk = new XorChunk(expectedBytes: 0);
        for (var i = 0; i < 50; i++)
        {
            chunk.Append(1000 + (i * 10), i / 3.0);
            var into = new SampleBuffer();

            Assert.True(XorChunkReader.TryRead(chunk.Bytes, chunk.Count, long.MinValue, long.MaxValue, into));

            Assert.Equal(i + 1, into.Count);
            Assert.Equal((1000 + (i * 10), i / 3.0), (into.Times[^1], into.Values[^1]));
        }
    }

    [Fact]
    public void Bytes_that_no_encoder_wrote_are_refused_or_read_and_never_throw()
    {
        var random = new Random(5);
        for (var round = 0; round < 200_000; round++)
        {
            var bytes = new byte[random.Next(0, 200)];
            random.NextBytes(bytes);
            if (bytes.Length > 1)
            {
                (bytes[0], bytes[1]) = (0, (byte)random.Next(0, 130));
            }

            var into = new SampleBuffer();
            if (!XorChunkReader.TryRead(bytes, long.MinValue, long.MaxValue, into))
            {
                Assert.Equal(0, into.Count);
            }
        }
    }

    [Fact]
    public void Every_chunk_that_is_cut_is_refused_unless_only_padding_is_gone()
    {
        var samples = Enumerable.Range(0, 120).Select(i => (i * 15_000L, Math.Sin(i))).ToArray();
        var bytes = Encode(samples);
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.False(XorChunkReader.TryRead(bytes.AsSpan(0, length), long.MinValue, long.MaxValue, new SampleBuffer()));
        }
    }

    private static long Limit((long Time, double Value)[] samples, int at, long otherwise) => at >= 0 && at < samples.Length ? samples[at].Time : otherwise;

    private static byte[] Encode((long Time, double Value)[] samples)
    {
        var chunk = new XorChunk(expectedBytes: 0);
        foreach (var (time, value) in samples)
        {
            chunk.Append(time, value);
        }

        chunk.Seal();
        return chunk.Bytes.ToArray();
    }
}
