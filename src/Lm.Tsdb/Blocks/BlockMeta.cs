using Lm.Platform;

namespace Lm.Tsdb.Blocks;

/// <summary>What a block's <c>meta.json</c> says. Its presence vouches for the whole folder.</summary>
/// <remarks>Sources: Prometheus, tsdb/docs/format/README.md; Thanos, docs/storage.md. The section <c>lightmetrics</c> is ours.</remarks>
public sealed record BlockMeta
{
    /// <summary>The hint on blocks that hold late samples only: Prometheus then does not take their end as the limit of what is in order.</summary>
    public const string OutOfOrderHint = "from-out-of-order";

    /// <summary>The block's name.</summary>
    public required Ulid Id { get; init; }

    /// <summary>The oldest sample's time, milliseconds since 1970.</summary>
    public required long MinTime { get; init; }

    /// <summary>One millisecond behind the newest sample.</summary>
    public required long MaxTime { get; init; }

    /// <summary>Counts.</summary>
    public required BlockStats Stats { get; init; }

    /// <summary>1 for a block written from the head, one more than its parents' highest for a merged one.</summary>
    public required int Level { get; init; }

    /// <summary>The level-1 blocks whose samples are here; never empty, ascending.</summary>
    public required IReadOnlyList<Ulid> Sources { get; init; }

    /// <summary>The blocks that this one replaces: whoever loads it may delete them.</summary>
    public IReadOnlyList<BlockRange> Parents { get; init; } = [];

    /// <summary>Hints of <c>compaction</c>.</summary>
    public IReadOnlyList<string> Hints { get; init; } = [];

    /// <summary>Labels that tell this collector's blocks from others' in Thanos; the same for all blocks of a prefix, sorted by name.</summary>
    public IReadOnlyList<Label> ExternalLabels { get; init; } = [];

    /// <summary>Milliseconds between the samples that Thanos' compactor made of others; 0: they are as they came.</summary>
    public long Resolution { get; init; }

    /// <summary>The block's files but <c>meta.json</c>.</summary>
    public IReadOnlyList<BlockFile> Files { get; init; } = [];

    /// <summary>The longest series entry of the index, bytes.</summary>
    public long SeriesSizeMax { get; init; }

    /// <summary>The longest chunk, bytes.</summary>
    public long ChunkSizeMax { get; init; }

    /// <summary>Up to where the spool's records of some windows are in blocks; sorted by incarnation and window.</summary>
    public IReadOnlyList<BlockCoverage> Coverage { get; init; } = [];

    /// <summary>When its files were in an object store, read back; null for a block that says nothing of that.</summary>
    public DateTimeOffset? UploadedAt { get; init; }

    /// <summary>The name of the file that says all this.</summary>
    public static string FileName => BlockPaths.Meta;

    /// <summary>Whether the block was made of late samples only.</summary>
    public bool IsLate => Hints.Contains(OutOfOrderHint);

    /// <summary>Bytes of all files but <c>meta.json</c>.</summary>
    public long SizeBytes => Files.Sum(file => file.SizeBytes);

    /// <summary>The place among blocks that hold one sample twice: the one whose first source was committed first wins.</summary>
    public Ulid Precedence => Sources[0];

    /// <summary>Reads the text of a <c>meta.json</c>.</summary>
    /// <param name="path">What to call it in faults.</param>
    /// <param name="text">The text.</param>
    /// <exception cref="BlockDamageException">It is not such a text.</exception>
    public static BlockMeta Parse(string path, byte[] text) => BlockMetaJson.Read(path, text);

    /// <summary>The text of its <c>meta.json</c>.</summary>
    public byte[] ToJson() => BlockMetaJson.Write(this);

    /// <summary>Whether this block makes another one needless: it was merged of it, or of all that the other was made of and more; or of the same, earlier.</summary>
    public bool Replaces(BlockMeta other)
    {
        if (Id == other.Id)
        {
            return false;
        }

        var isParent = Parents.Any(parent => parent.Id == other.Id);
        return (isParent || Sources.Count > other.Sources.Count || IsEarlierTwinOf(other)) && other.Sources.All(Sources.Contains);
    }

    // Two that merged the same: one of them is enough.
    private bool IsEarlierTwinOf(BlockMeta other) =>
        Level > 1 && (Level, MinTime, MaxTime, Sources.Count, Stats.Samples, Stats.Series) == (other.Level, other.MinTime, other.MaxTime, other.Sources.Count, other.Stats.Samples, other.Stats.Series)
        && Id.CompareTo(other.Id) < 0;
}

/// <summary>The <c>stats</c> of a block.</summary>
/// <param name="Samples">How many samples.</param>
/// <param name="Series">How many series.</param>
/// <param name="Chunks">How many chunks.</param>
public readonly record struct BlockStats(long Samples, long Series, long Chunks);

/// <summary>A block's name and time range.</summary>
/// <param name="Id">Its name.</param>
/// <param name="MinTime">Its oldest sample's time.</param>
/// <param name="MaxTime">One millisecond behind its newest sample.</param>
public readonly record struct BlockRange(Ulid Id, long MinTime, long MaxTime);

/// <summary>One file of a block.</summary>
/// <param name="Path">Its path within the block's folder, with forward slashes.</param>
/// <param name="SizeBytes">Its length.</param>
public readonly record struct BlockFile(string Path, long SizeBytes);

/// <summary>Says that blocks hold all samples of a window that the spool's records up to a position brought.</summary>
/// <param name="Incarnation">The spool's life.</param>
/// <param name="WindowStart">The window's start, milliseconds since 1970.</param>
/// <param name="WindowEnd">The first millisecond behind it: windows that begin together may be of different widths.</param>
/// <param name="UpTo">The last record's number, inclusive.</param>
public readonly record struct BlockCoverage(UInt128 Incarnation, long WindowStart, long WindowEnd, ulong UpTo)
{
    /// <summary>Puts lists together: of one window of one incarnation the highest position stays.</summary>
    public static IReadOnlyList<BlockCoverage> Merge(IEnumerable<BlockCoverage> all) =>
        [.. all.GroupBy(each => (each.Incarnation, each.WindowStart, each.WindowEnd)).OrderBy(same => same.Key).Select(same => same.MaxBy(each => each.UpTo))];
}
