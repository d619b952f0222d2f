using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lm.Platform;
using Lm.Protocol.RemoteWrite;
using Lm.TestKit;

namespace Lm.Protocol.Tests.RemoteWrite;

public sealed class RemoteWriteDecoderTests
{
    private static readonly byte[] Name = "__name__"u8.ToArray();

    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.Elements("up", "instance", "web1:9100", "mode", "zürich", "日本", "a"), ArbMap.Default.GeneratorFor<NonEmptyString>().Select(text => text.Get));

    private static readonly Gen<Model> Series =
        from labels in Gen.Zip(Texts, Texts).ListOf()
        from samples in ArbMap.Default.GeneratorFor<(long Time, double Value)[]>()
        select new Model(
            [.. labels.Append(("__name__", "m")).Where(label => IsUtf8(label.Item1) && IsUtf8(label.Item2) && label != ("job", "lightmetrics"))
                .DistinctBy(label => label.Item1).OrderBy(label => Encoding.UTF8.GetBytes(label.Item1), Bytes)],
            samples);

    private static Comparer<byte[]> Bytes { get; } = Comparer<byte[]>.Create(static (left, right) => left.AsSpan().SequenceCompareTo(right));

    [Fact]
    public void Every_series_label_and_sample_comes_back_bit_by_bit() => Prop.ForAll(
        Series.ListOf().ToArbitrary(),
        all =>
        {
            var maker = new WriteRequestMaker();
            foreach (var series in all)
            {
                maker.Series(series.Labels, series.Samples);
            }

            var write = Decode(maker.ToPayload(), WriteLimits.None);
            Assert.Equal(all.Count, write.Series.Length);
            for (var i = 0; i < all.Count; i++)
            {
                var found = write.Series[i];
                Assert.Equal(WriteFault.None, found.Fault);
                Assert.Equal(all[i].Labels, Labels(write, found));
                Assert.Equal(
                    all[i].Samples.Select(sample => (sample.Time, BitConverter.DoubleToInt64Bits(sample.Value))),
                    write.Samples(found).ToArray().Select(sample => (sample.Time, BitConverter.DoubleToInt64Bits(sample.Value))));
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_stale_marker_keeps_its_bits()
    {
        var write = Decode(new WriteRequestMaker().Series("m", "x", 5, BitConverter.Int64BitsToDouble(0x7ff0000000000002)).ToPayload());
        Assert.Equal(0x7ff0000000000002, BitConverter.DoubleToInt64Bits(Assert.Single(write.Samples(write.Series[0]).ToArray()).Value));
    }

    [Fact]
    public void Faults_of_labels_are_noted_on_their_series_alone()
    {
        var write = Decode(
            new WriteRequestMaker()
                .Series([("__name__", "good")], (1, 1))
                .Series([("a", "b")], (1, 1))
                .Series([("__name__", "")], (1, 1))
                .Series([("", "x"), ("__name__", "m")], (1, 1))
                .Series([("__name__", "m"), ("b", "1"), ("a", "1")], (1, 1))
                .Series([("__name__", "m"), ("a", "1"), ("a", "2")], (1, 1))
                .Series([(Name, [(byte)'m']), ([(byte)'a'], [0xff])], (1, 1))
                .Series([("__name__", "m"), ("a", "1"), ("b", "1"), ("c", "1"), ("d", "1"), ("e", "1")], (1, 1))
                .Series([("__name__", "m"), (new string('a', 129), "1")], (1, 1))
                .Series([("__name__", "m"), ("a", new string('x', 65))], (1, 1))
                .Series([("__name__", new string('x', 1025))], (1, 1))
                .Series([("__name__", "up"), ("job", "lightmetrics")], (1, 1))
                .Series([("__name__", "m"), ("a", "1"), ("b", "1"), ("c", "1"), ("d", "1"), ("e", "")], (1, 1))
                .ToPayload(),
            new WriteLimits { LabelsPerSeriesMax = 4, LabelValueBytesMax = 64 });
        Assert.Equal(
            [
                WriteFault.None, WriteFault.NoMetricName, WriteFault.NoMetricName, WriteFault.EmptyLabelName, WriteFault.UnsortedLabels,
                WriteFault.DuplicateLabel, WriteFault.NotUtf8, WriteFault.TooManyLabels, WriteFault.LabelNameTooLong, WriteFault.LabelValueTooLong,
                WriteFault.LabelValueTooLong, WriteFault.ReservedJob, WriteFault.None,
            ],
            write.Series.ToArray().Select(series => series.Fault));
        Assert.Equal(11, write.FaultCount);
    }

    [Fact]
    public void Series_and_samples_behind_a_limit_are_counted_and_not_kept()
    {
        var maker = new WriteRequestMaker();
        for (var i = 0; i < 5; i++)
        {
            maker.Series([("__name__", "m" + i)], (1, 1), (2, 2));
        }

        var bySeries = Decode(maker.ToPayload(), new WriteLimits { SeriesMax = 3 });
        Assert.Equal((3, 6, 2, 4), (bySeries.Series.Length, bySeries.SampleCount, bySeries.SeriesBeyond, bySeries.SamplesBeyond));
        var bySamples = Decode(maker.ToPayload(), new WriteLimits { SamplesMax = 5 });
        Assert.Equal((2, 4, 3, 6), (bySamples.Series.Length, bySamples.SampleCount, bySamples.SeriesBeyond, bySamples.SamplesBeyond));
    }

    [Fact]
    public void Histograms_exemplars_and_unknown_fields_are_counted_or_stepped_over()
    {
        byte[] series = [.. WriteRequestMaker.Label(Name, [(byte)'m']), .. WriteRequestMaker.Sample(1, 2), 0x1a, 0, 0x22, 0, 0x22, 0, 0x30, 7];
        var write = Decode(new WriteRequestMaker().Field(1, series).Field(9, [1, 2, 3]).ToPayload());
        Assert.Equal((1, 1, 2, 1), (write.Series.Length, write.SampleCount, write.Histograms, write.Exemplars));
    }

    [Fact]
    public void Labels_that_stand_between_samples_are_all_read()
    {
        byte[] series =
        [
            .. WriteRequestMaker.Sample(1, 2), .. WriteRequestMaker.Label(Name, [(byte)'m']), .. WriteRequestMaker.Sample(2, 3), .. WriteRequestMaker.Label([(byte)'a'], [(byte)'b']),
        ];
        var write = Decode(new WriteRequestMaker().Field(1, series).ToPayload());
        Assert.Equal([("__name__", "m"), ("a", "b")], Labels(write, write.Series[0]));
        Assert.True(write.Series[0].HasOtherFields);
        Assert.Equal(2, write.Series[0].SampleCount);
    }

    [Fact]
    public void Metadata_is_read_with_its_type()
    {
        var write = Decode(new WriteRequestMaker().Metadata(5, "rpc_seconds", "How long.", "seconds").ToPayload());
        var found = Assert.Single(write.Metadata.ToArray());
        Assert.Equal(
            (MetricType.Summary, "rpc_seconds", "How long.", "seconds"),
            (found.Type, Encoding.UTF8.GetString(write.Text(found.Metric)), Encoding.UTF8.GetString(write.Text(found.Help)), Encoding.UTF8.GetString(write.Text(found.Unit))));
    }

    [Fact]
    public void No_bytes_make_it_throw_and_a_decoded_request_is_no_larger_than_its_limits() => Prop.ForAll(
        ArbMap.Default.ArbFor<byte[]>(),
        Series.ListOf().ToArbitrary(),
        ArbMap.Default.ArbFor<(int At, byte Value)[]>(),
        (plain, all, damage) =>
        {
            var maker = new WriteRequestMaker();
            foreach (var series in all)
            {
                maker.Series(series.Labels, series.Samples);
            }

            var damaged = maker.ToPayload();
            foreach (var (at, value) in damaged.Length == 0 ? [] : damage)
            {
                damaged[(at & int.MaxValue) % damaged.Length] = value;
            }

            var limits = new WriteLimits { SeriesMax = 4, SamplesMax = 8 };
            foreach (var payload in new[] { plain, damaged })
            {
                var write = new DecodedWrite();
                if (!RemoteWriteDecoder.TryDecode(payload, limits, write, out var fault))
                {
                    Assert.NotEmpty(fault);
                    continue;
                }

                Assert.InRange(write.Series.Length, 0, 4);
                Assert.InRange(write.SampleCount, 0, 8);
                foreach (var series in write.Series)
                {
                    Labels(write, series);
                }
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_hostile_request_of_many_empty_messages_takes_memory_for_its_limits_alone()
    {
        var payload = new byte[8 << 20];
        for (var i = 0; i < payload.Length; i += 2)
        {
            payload[i] = 0x0a; // a series of no bytes
        }

        var write = new DecodedWrite();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.True(RemoteWriteDecoder.TryDecode(payload, new WriteLimits(), write, out _));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 4 << 20, "20,000 series of 24 bytes, doubled into");
        Assert.Equal((20_000, (4 << 20) - 20_000), (write.Series.Length, write.SeriesBeyond));
    }

    [Fact]
    public void A_request_like_the_one_before_allocates_nothing()
    {
        var maker = new WriteRequestMaker();
        for (var i = 0; i < 500; i++)
        {
            maker.Series([("__name__", "node_cpu_seconds_total"), ("cpu", i.ToString(System.Globalization.CultureInfo.InvariantCulture)), ("mode", "idle")], (1_700_000_000_000, i));
        }

        var (payload, write, limits) = (maker.ToPayload(), new DecodedWrite(), new WriteLimits());
        Assert.True(RemoteWriteDecoder.TryDecode(payload, limits, write, out _));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.True(RemoteWriteDecoder.TryDecode(payload, limits, write, out _));
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void The_rules_leave_out_what_is_too_old_too_far_ahead_or_faulty()
    {
        var write = Decode(
            new WriteRequestMaker()
                .Series([("__name__", "m")], (899, 1), (900, 1), (1050, 1), (1051, 1), (2000, 1))
                .Series([("a", "b")], (1000, 1), (1, 1))
                .ToPayload());
        var verdict = WriteRules.Judge(write, new UnixMillis(1000), TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(50), out var taken);
        Assert.Equal((2, 1, 2, 2), (taken, verdict.TooOld, verdict.TooNew, verdict.SeriesEnd));
        Assert.Equal([1], verdict.DroppedSeries);
    }

    private static bool IsUtf8(string text) => !text.Any(char.IsSurrogate);

    private static DecodedWrite Decode(byte[] payload, WriteLimits? limits = null)
    {
        var write = new DecodedWrite();
        Assert.True(RemoteWriteDecoder.TryDecode(payload, limits ?? new WriteLimits(), write, out var fault), fault);
        return write;
    }

    private static (string Name, string Value)[] Labels(DecodedWrite write, in WriteSeries series)
    {
        var found = new List<(string, string)>();
        var labels = write.Labels(series);
        while (labels.MoveNext())
        {
            found.Add((Encoding.UTF8.GetString(labels.Name), Encoding.UTF8.GetString(labels.Value)));
        }

        return [.. found];
    }

    private sealed record Model((string Name, string Value)[] Labels, (long Time, double Value)[] Samples);
}
