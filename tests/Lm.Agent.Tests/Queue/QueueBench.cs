using Lm.Agent.Queue;
using Lm.Platform;
using Lm.Protocol;
using Lm.TestKit;

namespace Lm.Agent.Tests.Queue;

/// <summary>A queue on a file system in memory. A batch is known by its collection time.</summary>
internal sealed class QueueBench(int seed = 1, long sizeMax = 256 << 10) : IAsyncDisposable
{
    public const string Directory = "/queue";

    private static readonly MetricDescriptor Metric = new("m", MetricType.Gauge, "", "");

    private readonly Random random = new(seed);
    private readonly BatchEncoder encoder = new();

    public MemoryFileSystem Files { get; set; } = new(seed);

    public ManualTime Time { get; init; } = new();

    public RecordingLogger Logger { get; } = new();

    public UInt128 MachineId { get; set; } = 7;

    public string AgentId { get; set; } = "a1";

    public DiskQueue Queue { get; private set; } = null!;

    /// <summary>Bytes of a batch: what does not compress.</summary>
    public int BatchBytes { get; init; } = 300;

    public async Task OpenAsync() => Queue = await DiskQueue.OpenAsync(
        new DiskQueueOptions(Files, Directory, AgentId, MachineId, sizeMax, Time, Logger), CancellationToken.None);

    public async Task<QueuedBatch?> AppendAsync(long id)
    {
        encoder.Begin(new UnixMillis(id), 1000, []);
        for (var left = BatchBytes; left > 0; left -= 100)
        {
            var text = new byte[75];
            random.NextBytes(text);
            encoder.Add(Metric, [new Label("x", Convert.ToBase64String(text))], id);
        }

        return await Queue.AppendAsync(encoder, new UnixMillis(id), default, CancellationToken.None);
    }

    public List<QueuedBatch> ReadAll() => Queue.Read(default, int.MaxValue, long.MaxValue, _ => false, out _);

    public List<long> WaitingIds() => ReadAll().ConvertAll(batch => batch.CollectedAt.Value);

    /// <summary>What the frame itself says: the decoded batch's key and time.</summary>
    public static (BatchKey Key, long Id) Decode(QueuedBatch batch)
    {
        var frame = batch.Frame.Span;
        Assert.Equal(Lm.Protocol.Framing.FrameStatus.Ok, Lm.Protocol.Framing.FrameReader.TryRead(frame, 1 << 20, out var found));
        var payload = new byte[found.PayloadLength];
        Assert.Equal(Lm.Protocol.Framing.FrameStatus.Ok, Lm.Protocol.Framing.FrameReader.ReadPayload(frame, found, payload));
        var decoded = new DecodedBatch();
        Assert.Equal(DecodeStatus.Ok, BatchDecoder.Decode(payload, new Limits(), decoded, out _));
        return (decoded.Key, decoded.CollectedAt.Value);
    }

    public async Task CloseAsync()
    {
        if (Queue is not null)
        {
            await Queue.DisposeAsync();
            Queue = null!;
        }
    }

    public async ValueTask DisposeAsync() => await CloseAsync();
}
