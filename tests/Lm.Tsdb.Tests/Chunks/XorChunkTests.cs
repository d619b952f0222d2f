using FsCheck;
using FsCheck.Fluent;
using Lm.Tsdb.Chunks;

namespace Lm.Tsdb.Tests.Chunks;

public sealed class XorChunkTests
{
    private static readonly Gen<long> StepSizes = Gen.OneOf(
        Gen.Constant(15_000L),
        Gen.Choose(1, 30_000).Select(step => (long)step),
        Gen.Elements(1L, 8_191, 8_192, 8_193, 65_535, 65_536, 65_537, 524_287, 524_288, 524_289, int.MaxValue, 1L << 40));

    private static readonly Gen<double> Values = Gen.OneOf(
        Gen.Constant(42.0),
        Gen.Choose(0, 1000).Select(value => value / 8.0),
        ArbMap.Default.GeneratorFor<double>(),
        ArbMap.Default.GeneratorFor<long>().Select(BitConverter.Int64BitsToDouble),
        Gen.Elements(0.0, -0.0, double.NaN, double.PositiveInfinity, double.Epsilon, BitConverter.Int64BitsToDouble(0x7ff0000000000002)));

    private static readonly Arbitrary<(long Start, (long Step, double Value)[] Steps)> Runs = Arb.From(
        Gen.Elements(0L, -1, 1_700_000_000_000, long.MinValue, -(1L << 50)).SelectMany(
            start => StepSizes.Zip(Values).ArrayOf().Select(rest => (start, rest.Select(pair => (pair.Item1, pair.Item2)).ToArray()))));

    [Fact]
    public void What_goes_in_comes_out_bit_for_bit_open_or_sealed() => Prop.ForAll(Runs, run =>
    {
        var chunk = new XorChunk(expectedBytes: 0);
        var expected = new List<(long Time, long Bits)>();
        var time = run.Start;
        foreach (var (step, value) in run.Steps)
        {
            time += step;
            chunk.Append(time, value);
            expected.Add((time, BitConverter.DoubleToInt64Bits(value)));
        }

        var open = Read(chunk);
        chunk.Seal();
        return open.SequenceEqual(expected) && Read(chunk).SequenceEqual(expected)
            && (expected.Count == 0 || (chunk.FirstTime == expected[0].Time && chunk.LastTime == expected[^1].Time));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_sealed_chunk_takes_further_samples()
    {
        var chunk = new XorChunk(expectedBytes: 0);
        chunk.Append(1, 1);
        chunk.Seal();
        chunk.Append(2, double.Pi);

        Assert.Equal([(1, BitConverter.DoubleToInt64Bits(1)), (2, BitConverter.DoubleToInt64Bits(double.Pi))], Read(chunk));
    }

    // Two hours' worth at 60 s of a counter: the size says that the encoding works at all.
    [Fact]
    public void A_regular_counter_takes_about_two_bytes_a_sample()
    {
        var chunk = new XorChunk(expectedBytes: 0);
        for (var i = 0; i < XorChunk.SamplesMax; i++)
        {
            chunk.Append(1_700_000_000_000 + (i * 60_000L), 1_000_000 + (i * 17));
        }

        chunk.Seal();

        Assert.InRange(chunk.Bytes.Length, 100, 400);
    }

    // The bytes were written by an independent implementation of Prometheus' chunks.md (XOR chunk data) in Python.
    [Fact]
    public void The_bytes_are_those_of_Prometheus_format()
    {
        var chunk = new XorChunk(expectedBytes: 0);
        foreach (var (time, value) in GoldenSamples)
        {
            chunk.Append(time, value);
        }

        chunk.Seal();

        Assert.Equal(GoldenBytes, Convert.ToHexStringLower(chunk.Bytes));
    }

    private static readonly (long Time, double Value)[] GoldenSamples =
    [
        (1_700_000_000_000, 12.5), (1_700_000_015_000, 12.5), (1_700_000_030_000, 13.25), (1_700_000_045_001, 13.0), (1_700_000_060_000, -7e300),
        (1_700_000_160_000, double.NaN), (1_700_001_000_000, 0.1), (1_700_900_000_000, 0.1), (1_800_000_000_000, 0.30000000000000004),
    ];

    private const string GoldenBytes = "000980a0abfef962402900000000000098753707e000637ffd83dbe4ee7b4f70066ef0a604c0339cf69ee00cddf00000000000b4aa0c1fe020cccccccccccdf000000003588d58078000000b6e9e2c20400d555555555555c0";

    private static List<(long Time, long Bits)> Read(XorChunk chunk)
    {
        var samples = new SampleBuffer();
        Assert.True(XorChunkReader.TryRead(chunk.Bytes, chunk.Count, long.MinValue, long.MaxValue, samples));
        return [.. samples.Times.ToArray().Zip(samples.Values.ToArray(), (time, value) => (time, BitConverter.DoubleToInt64Bits(value)))];
    }
}
