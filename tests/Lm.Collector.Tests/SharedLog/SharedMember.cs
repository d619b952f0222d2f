using Lm.Collector.SharedLog;
using Lm.Collector.Spool;
using Lm.Collector.Tests.Ingest;
using Lm.Collector.Tests.Landing;
using Lm.ObjectStore;
using Lm.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lm.Collector.Tests.SharedLog;

/// <summary>A collector without its network on a folder in memory that it shares.</summary>
internal sealed class SharedMember : IAsyncDisposable
{
    private int tidied;

    private SharedMember(MemoryFileSystem bucket, string name, MemoryFileSystem? files, bool overwrites, TimeSpan filesAfter, int seriesMax)
    {
        Store = new FaultyStore(new DirectoryObjectStore(bucket, LandingRig.Bucket, name, new StoreCounters())) { Overwrites = overwrites };
        Rig = new IngestRig(files, acceptance: rig => Acceptance = Make(rig, name, filesAfter, seriesMax));
    }

    public IngestRig Rig { get; }

    public FaultyStore Store { get; }

    /// <summary>How often it took care of blocks and log files.</summary>
    public int Tidied => Volatile.Read(ref tidied);

    public SharedAcceptance Acceptance { get; private set; } = null!;

    public static async Task<SharedMember> StartAsync(MemoryFileSystem bucket, string name, MemoryFileSystem? files = null, bool overwrites = false, TimeSpan? filesAfter = null, int seriesMax = int.MaxValue)
    {
        var member = new SharedMember(bucket, name, files, overwrites, filesAfter ?? TimeSpan.FromHours(2), seriesMax);
        try
        {
            await member.Acceptance.StartAsync(TestContext.Current.CancellationToken);
            return member;
        }
        catch (IOException)
        {
            await member.DisposeAsync();
            throw;
        }
    }

    public async Task ShowsAsync(params ulong[] sequences)
    {
        await Rig.AppliedAsync();
        Assert.Equal(sequences, Rig.Consumer.Sequences);
    }

    public async ValueTask DisposeAsync()
    {
        await Acceptance.DisposeAsync();
        await Rig.DisposeAsync();
    }

    private SharedAcceptance Make(IngestRig rig, string name, TimeSpan filesAfter, int seriesMax)
    {
        var copy = new FoldedSpoolParts(
            Store, rig.Spool, rig.Ledger, new SeriesBound(rig.Store, seriesMax, NullLogger.Instance),
            static () => default, TimeProvider.System, NullLogger.Instance);
        return new SharedAcceptance(new SharedAcceptanceParts(
            Store, LandingRig.Keys, name, copy, rig.Files, "/spool", static () => TimeSpan.Zero, () => rig.Clock.Proven, () => rig.Clock.Dated, static () => TimeSpan.FromDays(36), TimeProvider.System, NullLogger.Instance)
        {
            FilesAfter = filesAfter,
            TidyAsync = _ =>
            {
                Interlocked.Increment(ref tidied);
                return Task.CompletedTask;
            },
        });
    }
}
