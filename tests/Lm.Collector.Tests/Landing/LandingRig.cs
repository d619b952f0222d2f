using Lm.Collector.Landing;
using Lm.Collector.Spool;
using Lm.Collector.Tests.Ingest;
using Lm.Journal;
using Lm.Logs;
using Lm.ObjectStore;
using Lm.Protocol;
using Lm.TestKit;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.Tests.Landing;

/// <summary>A spool in memory that lands in a folder of another file system in memory.</summary>
internal sealed class LandingRig : IAsyncDisposable
{
    public const string Collector = "collector-1";
    public const string Bucket = "/bucket";

    private readonly BlockSet blocks;

    public LandingRig(
        MemoryFileSystem? files = null, MemoryFileSystem? bucket = null, ManualTime? time = null, long segmentSizeMax = 64 << 20, long objectSizeMax = 128 << 20, bool keepsState = true)
    {
        Bucketed = bucket ?? new MemoryFileSystem();
        Ingest = new IngestRig(files, time, segmentSizeMax: segmentSizeMax);
        Store = new FaultyStore(new DirectoryObjectStore(Bucketed, Bucket, Collector, Counters));
        blocks = BlockSet.Open(Ingest.Files, "/spool/blocks", Ingest.Time);
        Lander = new Lander(new LanderParts(Store, Keys, Counters, Collector, Ingest.Spool, Ingest.Files, () => TimeSpan.FromSeconds(60), Ingest.Time, Logger)
        {
            Local = new LocalStores
            {
                Blocks = blocks,
                Labels = [new Lm.Tsdb.Label("lightmetrics_stream", Collector)],
                SealedLogs = () => SealedLogs,
                Mark = static () => null,
                IsInFiles = static _ => false,
                HeadDamage = static () => 0,
                OtherDamage = static () => 0,
                IsOnlyHere = static _ => false,
                State = static () => null,
            },
            CompactsElsewhere = false,
            Retention = static () => TimeSpan.FromDays(36_500),
            Proven = () => Ingest.Clock.Proven,
            Dated = () => Ingest.Clock.Dated,
            ObjectSizeMax = objectSizeMax,
        });
        State = new StateFile(Ingest.Files, "/spool/landing-state.json", [Lander.State], Logger);
        if (keepsState)
        {
            State.Read(Ingest.Spool.Incarnation);
            Lander.SpoolOpened(() => State.TryWrite(Ingest.Spool.Incarnation));
        }
    }

    /// <summary>The sealed log files.</summary>
    public IReadOnlyList<StoredLogFile> SealedLogs { get; set; } = [];

    public static ObjectKeys Keys { get; } = new("fleet-a");

    public IngestRig Ingest { get; }

    public MemoryFileSystem Bucketed { get; }

    public FaultyStore Store { get; }

    public StoreCounters Counters { get; } = new();

    public RecordingLogger Logger { get; } = new();

    public Lander Lander { get; }

    public StateFile State { get; }

    public string Folder => Keys.RawFolder(Collector, Ingest.Spool.Incarnation);

    public IEnumerable<string> PutKeys => Store.Puts.Where(key => key.StartsWith("fleet-a/raw/", StringComparison.Ordinal));

    /// <summary>Acknowledged batches.</summary>
    public async Task AcceptAsync(ulong first, int count)
    {
        for (var sequence = first; sequence < first + (ulong)count; sequence++)
        {
            Assert.Equal(FrameOutcome.Accepted, (await Ingest.SendAsync(sequence, value: sequence)).Outcome);
        }
    }

    /// <summary>Every record of the spool as it stands.</summary>
    public List<(JournalPosition Position, byte[] Bytes)> Spooled() =>
        [.. Ingest.Spool.Read(default).Where(static record => !record.IsPreamble).Select(static record => (record.Position, record.Payload.ToArray()))];

    /// <summary>Every record that landed, object after object, each checked against its manifest.</summary>
    public async Task<List<(JournalPosition Position, byte[] Bytes)>> LandedAsync()
    {
        var landed = new List<(JournalPosition, byte[])>();
        var store = new DirectoryObjectStore(Bucketed, Bucket, "reader", new StoreCounters());
        foreach (var key in (await store.ListAsync(Folder, "", 1000, CancellationToken.None)).Objects.Select(each => each.Key))
        {
            var found = await RawObjectReader.ReadAsync(store, key, CancellationToken.None);
            Assert.NotNull(found);
            Assert.Null(found.Fault);
            Assert.Null(await RawObjectReader.VerifyAsync(store, key, found.SizeBytes, found.Trailer.Hash, CancellationToken.None));
            foreach (var record in found.Manifest!.Records)
            {
                var bytes = new byte[record.Size];
                Assert.Equal(record.Size, (await store.ReadAsync(key, record.Offset, bytes, CancellationToken.None))!.Value.Count);
                Assert.Equal(record.Checksum, Lm.Platform.Crc32C.Compute(bytes));
                landed.Add((record.Position, bytes));
            }
        }

        return landed;
    }

    /// <summary>Runs passes until one ends well, or as often as is said.</summary>
    public async Task<bool> LandAsync(int tries = 1)
    {
        for (var i = 0; i < tries; i++)
        {
            if (await Lander.TryPassAsync(CancellationToken.None) is not null && Lander.Status.Trouble is null)
            {
                return true;
            }
        }

        return false;
    }

    public async ValueTask DisposeAsync()
    {
        Lander.Dispose();
        blocks.Dispose();
        await Ingest.DisposeAsync();
    }
}
