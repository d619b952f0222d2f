using Google.Protobuf;
using Lm.Fuzz;

namespace Lm.Protocol.Tests;

/// <summary>Two readers of one format must not understand two things: what ours takes, generated code takes too, and reads the same.</summary>
public sealed class DamagedBatchTests
{
    [Fact]
    public void Damaged_bytes_that_we_take_are_read_equally_by_generated_code()
    {
        var model = Batches.Heartbeat(3) with
        {
            Logs = [new BatchModel.LogModel(1_767_323_044_000, 9, "line", [new Label("input", "syslog")])],
            Alerts = [new BatchModel.AlertModel(1_767_323_045_000, 17, "queue_dropped", "3 batches", [])],
        };
        var histogram = new BatchModel.HistogramModel(1_767_323_044_000, [0.5, 2], [1, 2, 3], 4.5);
        byte[][] sources =
        [
            ProtoBatches.MessageOf(model).ToByteArray(),
            ProtoBatches.MessageOf(model with { Series = [model.Series[0] with { Samples = [], Histograms = [histogram, histogram] }] }).ToByteArray(),
        ];
        var mutator = new Mutator(sources);
        var batch = new DecodedBatch();
        var taken = 0;
        for (var i = 0; i < 30_000; i++)
        {
            mutator.Seed(seed: 1, i);
            var damaged = mutator.Message(sources[i % sources.Length]);
            if (BatchDecoder.Decode(damaged, new Limits(), batch, out _) == DecodeStatus.Ok)
            {
                taken++;
                Assert.Equal(Batches.Decode(damaged).ToString(), ProtoBatches.Decode(damaged).ToString());
            }
        }

        // Enough of them are still batches for the comparison to mean something.
        Assert.InRange(taken, 1000, 30_000);
    }
}
