using Lm.Collector.SharedLog;
using Lm.Collector.Tests.Landing;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.TestKit;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.Tests.SharedLog;

/// <summary>Five days of sets of files in a bucket that collectors share, and what takes care of them.</summary>
public abstract class SharedMergeFixture : IAsyncLifetime
{
    private protected const int Sets = 24;
    private protected const long TwoDays = 48 * 3_600_000;
    private protected const string DeletionMark = "deletion-mark.json";

    private static readonly TimeSpan Retention = TimeSpan.FromDays(400);

    private protected MemoryFileSystem Bucket { get; set; } = new();

    private protected SharedMember One { get; private set; } = null!;

    private protected SharedFilesRig Rig { get; private set; } = null!;

    /// <summary>All samples.</summary>
    private protected List<(long Time, double Value)> Whole { get; set; } = [];

    private protected UnixMillis Now => UnixMillis.Now(One.Rig.Time);

    /// <summary>Five days of sets of files, one each five hours.</summary>
    public async ValueTask InitializeAsync()
    {
        One = await SharedMember.StartAsync(Bucket, "one");
        Rig = new SharedFilesRig(Bucket, One.Rig.Time);
        for (var sequence = 1UL; sequence <= Sets; sequence++)
        {
            await FileAsync(sequence, Now);
            One.Rig.Time.Advance(TimeSpan.FromHours(5));
        }

        Whole = Rig.Samples();
        Assert.Equal(Sets, Whole.Distinct().Count());
        Assert.Equal(Sets, Whole.Count);
    }

    public async ValueTask DisposeAsync()
    {
        Rig.Dispose();
        await One.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected static long StartOf(BlockMeta block) => block.MinTime - (block.MinTime % TwoDays);

    private protected static string PathOf(Ulid block, string file) => $"{LandingRig.Bucket}/{LandingRig.Keys.Block(block.ToString(), file)}";

    private protected async Task FileAsync(ulong sequence, UnixMillis at)
    {
        Assert.Equal(Lm.Protocol.FrameOutcome.Accepted, (await One.Rig.SendFrameAsync(sequence, SharedFilesRig.Frame(sequence, One.Rig.Now, sequence, [at.Value]))).Outcome);
        await Rig.FileAllAsync();
    }

    // Three rounds a day, until all days are over and all marks are due.
    private protected async Task TidyForDaysAsync()
    {
        for (var i = 0; i < 24; i++)
        {
            One.Rig.Time.Advance(TimeSpan.FromHours(8));
            await NewTidy(NewStore(), collector: "two").RunAsync(TestContext.Current.CancellationToken);
        }
    }

    private protected FaultyStore NewStore() => new(new DirectoryObjectStore(Bucket, LandingRig.Bucket, "tidy", new StoreCounters()));

    private protected SharedTidy NewTidy(IObjectStore store, RecordingLogger? logger = null, long sizeMax = 1 << 30, bool isExternal = false, string collector = "one", TimeSpan? retention = null) =>
        SharedFilesRig.NewTidy(store, One.Rig.Time, () => Now, retention ?? Retention, isExternal, logger, sizeMax, collector);

    private protected BlockMeta[] BlocksThere() =>
        [.. Bucket.AllFiles(LandingRig.Bucket).Where(static path => path.EndsWith("/meta.json", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(path => BlockMeta.Parse(path, Bucket.Peek(path)))];

    // Of blocks.
    private protected string[] Folders() =>
        [.. Bucket.AllFiles(LandingRig.Bucket).Where(static path => path.Contains("/fleet-a/blocks/", StringComparison.Ordinal)).Select(static path => string.Join('/', path.Split('/').Take(5))).Distinct()];

    private protected int Marks() => Bucket.AllFiles(LandingRig.Bucket).Count(static path => path.EndsWith("/" + DeletionMark, StringComparison.Ordinal));

    private protected async Task AssertWholeAsync(bool verifies = true)
    {
        Assert.Equal(Whole, await SamplesAsync());
        if (verifies)
        {
            using var verifier = new SharedFilesRig(Bucket, One.Rig.Time, "verifier");
            var (faults, text) = await verifier.VerifyAsync();
            Assert.True(faults == 0, text);
        }
    }

    // Those that a reader finds who sees the Bucket for the first time.
    private protected async Task<List<(long Time, double Value)>> SamplesAsync()
    {
        using var reader = new SharedFilesRig(Bucket, One.Rig.Time, "reader");
        await reader.Reader.ListAsync(TestContext.Current.CancellationToken);
        return reader.Samples();
    }
}
