using System.Globalization;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Lm.Fuzz;
using Lm.Platform;
using Lm.Protocol.Wire;

namespace Lm.Protocol.Tests.Decoding;

/// <summary>What is read in a run is read as it is one by one, whatever was read into the same object before.</summary>
public sealed partial class SeriesRunTests
{
    // The last is so near to what the batches have that every limit is met somewhere within a run.
    private static readonly Limits[] SomeLimits =
    [
        new(),
        new() { SeriesPerBatchMax = 30, SamplesPerBatchMax = 12, LabelsPerSeriesMax = 2, LogMessageBytesMax = 20, LabelValueBytesMax = 8 },
        new() { SeriesPerBatchMax = 20, SamplesPerBatchMax = 40, LabelsPerSeriesMax = 0, LogsPerBatchMax = 0, AlertsPerBatchMax = 0 },
    ];

    [Fact]
    public void Any_batch_is_read_in_runs_as_it_is_one_by_one()
    {
        var warm = new DecodedBatch();
        Prop.ForAll(Batches.AnyWithHistograms, model => Compare(ProtoBytes(model), new Limits(), warm)).QuickCheckThrowOnFailure();
        Prop.ForAll(Batches.Any, model => Compare(Batches.Encode(model), new Limits(), warm)).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_heartbeat_is_read_in_a_run_as_it_is_one_by_one()
    {
        var warm = new DecodedBatch();
        foreach (var source in Heartbeats())
        {
            Assert.Equal(DecodeStatus.Ok, Compare(source, new Limits(), warm));
        }
    }

    [Fact]
    public void Damaged_heartbeats_in_any_order_are_taken_or_refused_as_they_are_one_by_one()
    {
        var sources = Heartbeats();
        var mutator = new Mutator(sources);
        var warm = new DecodedBatch();
        var taken = 0;
        for (var i = 0; i < 20_000; i++)
        {
            mutator.Seed(seed: 3, i);
            var damaged = mutator.Message(sources[mutator.Next(sources.Length)]);
            taken += Compare(damaged, SomeLimits[mutator.Next(SomeLimits.Length)], warm) == DecodeStatus.Ok ? 1 : 0;
        }

        // Enough of either kind for the comparison to mean something.
        Assert.InRange(taken, 1000, 19_000);
    }

    [Theory]
    [InlineData("0a0401020304", "")]
    [InlineData("0a0401020302", "")]
    [InlineData("0a0401020300", "")]
    [InlineData("0a0403040102", "")]
    [InlineData("0a058100020304", "")]
    [InlineData("0a0401020305", "refers to symbol 5; the batch has 5")]
    [InlineData("0a040102037f", "refers to symbol 127; the batch has 5")]
    [InlineData("0a0405020304", "refers to symbol 5; the batch has 5")]
    [InlineData("0a0401000304", "__name__ is \"\", no metric name")]
    [InlineData("0a0401040304", "__name__ is \"not a name\", no metric name")]
    [InlineData("0a0401020403", "\"not a name\" is no label name")]
    [InlineData("0a0401020102", "\"__name__\" appears twice")]
    [InlineData("0a06010203040302", "\"mode\" appears twice")]
    [InlineData("0a03010203", "3 references of labels; they are pairs")]
    [InlineData("0a020304", "no label __name__")]
    [InlineData("0a00", "no label __name__")]
    public void Labels_behind_those_of_a_series_that_is_right_are_judged_for_themselves(string labels, string fault)
    {
        string[] symbols = ["", "__name__", "metric", "mode", "not a name"];
        var right = Convert.FromHexString("0a0401020304");
        var payload = Payload(symbols, right, Convert.FromHexString(labels), right);

        var status = Compare(payload, new Limits(), new DecodedBatch());

        BatchDecoder.Decode(payload, new Limits(), new DecodedBatch(), out var found);
        Assert.Equal(fault.Length == 0 ? DecodeStatus.Ok : DecodeStatus.Malformed, status);
        Assert.Contains(fault, found, StringComparison.Ordinal);
        Assert.StartsWith(fault.Length == 0 ? "" : "series 1", found, StringComparison.Ordinal);
    }

    /// <summary>Decodes as it is, into the warm object and a new one, and in a form that has no runs; all must agree.</summary>
    private static DecodeStatus Compare(byte[] payload, Limits limits, DecodedBatch warm)
    {
        var expected = Read(WithoutRuns(payload), limits, new DecodedBatch());
        var fresh = Read(payload, limits, new DecodedBatch());
        var again = Read(payload, limits, warm);

        Assert.Equal(fresh, again);
        Assert.Equal(expected.Status, fresh.Status);
        Assert.Equal(PlaceOfByte().Replace(expected.Text, "byte"), PlaceOfByte().Replace(fresh.Text, "byte"));
        return fresh.Status;
    }

    private static (DecodeStatus Status, string Text) Read(byte[] payload, Limits limits, DecodedBatch batch)
    {
        var status = BatchDecoder.Decode(payload, limits, batch, out var fault);
        if (status != DecodeStatus.Ok)
        {
            Assert.Equal(0, batch.Series.Length + batch.Logs.Length + batch.Alerts.Length + batch.SampleCount + batch.SymbolCount);
            return (status, fault);
        }

        var verdict = BatchRules.Judge(batch, limits, new UnixMillis(1_767_323_045_000), TimeSpan.FromDays(1), out var newest);
        var judged = string.Create(
            CultureInfo.InvariantCulture,
            $"{newest.Value} {batch.OldestTime} {batch.LabelCountMax} {verdict.TooOldCount} {verdict.FirstDropped}\n");
        return (status, judged + Batches.ModelOf(batch));
    }

    // The same fields, but a byte more in each length: that is no form that a run has.
    private static byte[] WithoutRuns(byte[] payload)
    {
        var writer = new WireWriter();
        var reader = new WireReader(payload, 0, payload.Length);
        while (!reader.AtEnd)
        {
            var at = reader.Position;
            var read = reader.TryReadTag(out var tag);
            if (read && (tag & 7) == (int)WireType.LengthDelimited && reader.TryReadLengthDelimited(out var start, out var length))
            {
                writer.WriteVarint(tag);
                writer.WriteRaw([(byte)(length | 0x80), (byte)((length >> 7) | 0x80), (byte)((length >> 14) | 0x80), (byte)(length >> 21)]);
                writer.WriteRaw(payload.AsSpan(start, length));
            }
            else if (read && reader.Position > at && reader.TrySkip(tag))
            {
                writer.WriteRaw(payload.AsSpan(at, reader.Position - at));
            }
            else
            {
                writer.WriteRaw(payload.AsSpan(at));
                break;
            }
        }

        return writer.Written.ToArray();
    }

    private static byte[][] Heartbeats()
    {
        var plain = new BatchEncoder();
        var model = Batches.Heartbeat(12);
        var mixed = model with
        {
            Logs = [new BatchModel.LogModel(1_767_323_044_000, 9, "line", [new Label("input", "syslog")])],
            Series = [.. model.Series[..4], model.Series[4] with { Samples = [.. model.Series[4].Samples, .. model.Series[5].Samples] }, .. model.Series[6..]],
        };
        return
        [
            Batches.Payload(model, plain).ToArray(),
            Batches.Payload(mixed, plain).ToArray(),
            Batches.Encode(mixed),
            Batches.Payload(Batches.Heartbeat(300) with { CommonLabels = [] }, plain).ToArray(), // references of two bytes among them
            ProtoBytes(mixed),
        ];
    }

    private static byte[] ProtoBytes(BatchModel model) => Google.Protobuf.MessageExtensions.ToByteArray(ProtoBatches.MessageOf(model));

    private static byte[] Payload(string[] symbols, params byte[][] labels)
    {
        var writer = new WireWriter();
        writer.WriteStringField(Tag.BatchAgentId, "agent");
        writer.WriteBytesField(Tag.BatchQueueId, new byte[16]);
        writer.WriteNumberField(Tag.BatchSeqStart, 1);
        writer.WriteNumberField(Tag.BatchSeqEnd, 1);
        foreach (var symbol in symbols)
        {
            writer.WriteStringField(Tag.BatchSymbols, symbol);
        }

        foreach (var one in labels)
        {
            writer.WriteBytesField(Tag.BatchSeries, [.. one, .. Convert.FromHexString("10022a01003208000000000000f03f")]);
        }

        return writer.Written.ToArray();
    }

    [GeneratedRegex("byte [0-9]+( of [0-9]+)?")]
    private static partial Regex PlaceOfByte();
}
