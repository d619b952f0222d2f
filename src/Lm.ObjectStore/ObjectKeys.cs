using System.Globalization;

namespace Lm.ObjectStore;

/// <summary>Every key that the product writes is made and read here.</summary>
/// <param name="prefix">What all of them begin with; empty for none.</param>
public sealed class ObjectKeys(string prefix)
{
    private const string RawExtension = ".lmf";
    private const string ChangesExtension = ".ndjson";
    private const int SegmentDigits = 10;
    private const int OffsetDigits = 12;

    private readonly string root = prefix.Length == 0 ? "" : prefix + "/";

    /// <summary>The raw object whose first record stands at a place of a collector's spool.</summary>
    public string Raw(string collector, Guid incarnation, uint segment, long offset) => RawAt(collector, incarnation, segment, offset) + RawExtension;

    /// <summary>What stands before the key of that object and behind those of all places before: for lists that begin there.</summary>
    public string RawAt(string collector, Guid incarnation, uint segment, long offset) =>
        RawFolder(collector, incarnation) + NameAt(segment, offset);

    /// <summary>What the keys of all raw objects of one life of a collector's spool begin with.</summary>
    public string RawFolder(string collector, Guid incarnation) => $"{root}raw/{collector}/{incarnation:N}/";

    /// <summary>Reads the place out of a raw object's key.</summary>
    public static bool TryReadRaw(string key, out uint segment, out long offset) => TryReadPlace(key, RawExtension, out segment, out offset);

    private static string NameAt(uint segment, long offset) => segment.ToString("D10", CultureInfo.InvariantCulture) + "-" + offset.ToString("D12", CultureInfo.InvariantCulture);

    private static bool TryReadPlace(string key, string extension, out uint segment, out long offset)
    {
        (segment, offset) = (0, 0);
        var name = key.AsSpan(key.LastIndexOf('/') + 1);
        return name.Length == SegmentDigits + 1 + OffsetDigits + extension.Length
            && name[SegmentDigits] == '-'
            && name.EndsWith(extension, StringComparison.Ordinal)
            && uint.TryParse(name[..SegmentDigits], NumberStyles.None, CultureInfo.InvariantCulture, out segment)
            && long.TryParse(name.Slice(SegmentDigits + 1, OffsetDigits), NumberStyles.None, CultureInfo.InvariantCulture, out offset);
    }

    /// <summary>What the keys of all raw objects of a collector begin with, whatever life of its spool they are of.</summary>
    public string RawFolder(string collector) => $"{root}raw/{collector}/";

    /// <summary>Reads whose raw object a key is of: the life of the spool.</summary>
    public static bool TryReadIncarnation(string key, out Guid incarnation)
    {
        incarnation = default;
        var end = key.LastIndexOf('/');
        var start = end > 0 ? key.LastIndexOf('/', end - 1) : -1;
        return start > 0 && Guid.TryParseExact(key.AsSpan(start + 1, end - start - 1), "N", out incarnation);
    }

    /// <summary>What the keys of all blocks begin with: Thanos' root is this folder.</summary>
    public string BlocksFolder => root + "blocks/";

    /// <summary>What the keys of a block's files begin with.</summary>
    public string BlockFolder(string block) => $"{BlocksFolder}{block}/";

    /// <summary>A file of a block.</summary>
    /// <param name="block">The block's ULID.</param>
    /// <param name="path">The file's path within the block, with forward slashes.</param>
    public string Block(string block, string path) => BlockFolder(block) + path;

    /// <summary>Reads block and file out of a key.</summary>
    public bool TryReadBlock(string key, out string block, out string path)
    {
        (block, path) = ("", "");
        if (!key.StartsWith(BlocksFolder, StringComparison.Ordinal) || key.IndexOf('/', BlocksFolder.Length) is not (> 0 and var slash))
        {
            return false;
        }

        (block, path) = (key[BlocksFolder.Length..slash], key[(slash + 1)..]);
        return true;
    }

    /// <summary>A file of what a collector knows beside its records, of one life of its spool.</summary>
    /// <param name="collector">The collector's name.</param>
    /// <param name="incarnation">The life of its spool.</param>
    /// <param name="name">The file's name.</param>
    public string State(string collector, Guid incarnation, string name) => $"{root}state/{collector}/{incarnation:N}/{name}";

    /// <summary>What the keys of all log files begin with.</summary>
    public string LogFolder => root + "logs/";

    /// <summary>What the keys of one day's log files begin with.</summary>
    /// <param name="date"><c>date=YYYY-MM-DD</c>.</param>
    public string LogDate(string date) => $"{LogFolder}{date}/";

    /// <summary>A sealed log file, or its index.</summary>
    /// <param name="date"><c>date=YYYY-MM-DD</c>.</param>
    /// <param name="hour"><c>hour=HH</c>, or <c>hour=late</c>.</param>
    /// <param name="name">The file's name.</param>
    public string Log(string date, string hour, string name) => $"{LogFolder}{date}/{hour}/{name}";

    /// <summary>What the keys of all files begin with that tell what a collector knows beside its records: then come the life of its spool and the file's name.</summary>
    public string StateRoot(string collector) => $"{root}state/{collector}/";

    /// <summary>What the keys of the shared log's commits begin with.</summary>
    public string CommitsFolder => root + "commits/";

    /// <summary>A commit of the shared log.</summary>
    public string Commit(long number) => CommitsFolder + number.ToString("D20", CultureInfo.InvariantCulture) + ".json";

    /// <summary>Reads the number out of a commit's key.</summary>
    public bool TryReadCommit(string key, out long number)
    {
        number = 0;
        return key.StartsWith(CommitsFolder, StringComparison.Ordinal)
            && long.TryParse(key.AsSpan(CommitsFolder.Length, Math.Min(20, key.Length - CommitsFolder.Length)), NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && key == Commit(number);
    }

    /// <summary>What the keys of the shared log's snapshots begin with.</summary>
    public string LogSnapshotsFolder => root + "shared/snapshots/";

    /// <summary>A snapshot of the shared log.</summary>
    /// <param name="number">The last commit in it.</param>
    /// <param name="atMs">When it was written, milliseconds since 1970.</param>
    public string LogSnapshot(long number, long atMs) =>
        LogSnapshotsFolder + number.ToString("D20", CultureInfo.InvariantCulture) + "-" + atMs.ToString("D15", CultureInfo.InvariantCulture) + ".json";

    /// <summary>What stands behind the keys of all snapshots up to a commit: for lists that begin there.</summary>
    public string LogSnapshotsUpTo(long number) => LogSnapshotsFolder + number.ToString("D20", CultureInfo.InvariantCulture) + "~";

    /// <summary>Reads commit and time out of a snapshot's key.</summary>
    public bool TryReadLogSnapshot(string key, out long number, out long atMs)
    {
        (number, atMs) = (0, 0);
        var name = key.StartsWith(LogSnapshotsFolder, StringComparison.Ordinal) ? key.AsSpan(LogSnapshotsFolder.Length) : default;
        return name.Length == 20 + 1 + 15 + 5
            && long.TryParse(name[..20], NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && long.TryParse(name.Slice(21, 15), NumberStyles.None, CultureInfo.InvariantCulture, out atMs)
            && key == LogSnapshot(number, atMs);
    }

    /// <summary>A raw object of the shared log: invisible until a commit names it.</summary>
    public string SharedRaw(string collector, Guid id) => $"{root}shared/raw/{collector}/{id:N}{RawExtension}";

    /// <summary>An object that holds the records of many commits.</summary>
    public string SharedPart(long first, long last, Guid id) =>
        string.Create(CultureInfo.InvariantCulture, $"{root}shared/parts/{first:D20}-{last:D20}-{id:N}{RawExtension}");

    /// <summary>What the keys of files begin with that were made of commits and are not where readers find them yet.</summary>
    public string SharedStagedFolder => root + "shared/staged/";

    /// <summary>What the keys of the files of one set begin with, while they wait: then comes what <see cref="Below"/> puts behind the prefix.</summary>
    /// <param name="from">The first of its commits.</param>
    /// <param name="covers">The last of them.</param>
    /// <param name="id">Of this try alone.</param>
    public string SharedStaged(long from, long covers, Guid id) =>
        string.Create(CultureInfo.InvariantCulture, $"{SharedStagedFolder}{from:D20}-{covers:D20}-{id:N}/");

    /// <summary>Reads the first commit, and the folder of the set, out of the key of a file that waits.</summary>
    public bool TryReadSharedStaged(string key, out long from, out string folder)
    {
        (from, folder) = (0, "");
        var end = key.StartsWith(SharedStagedFolder, StringComparison.Ordinal) ? key.IndexOf('/', SharedStagedFolder.Length) : -1;
        folder = end > 0 ? key[..(end + 1)] : "";
        return end > SharedStagedFolder.Length + 20 && long.TryParse(key.AsSpan(SharedStagedFolder.Length, 20), NumberStyles.None, CultureInfo.InvariantCulture, out from);
    }

    /// <summary>What the keys begin with of what tells of the blocks that a collector is about to put, merged of others that are there: then comes the block's name.</summary>
    public string SharedMergesFolder(string collector) => $"{root}shared/merges/{collector}/";

    /// <summary>What the keys begin with of what tells of sets of files that are where readers find them.</summary>
    public string SharedFilesFolder => root + "shared/files/";

    /// <summary>What tells of a set of files.</summary>
    /// <param name="from">The first of its commits.</param>
    /// <param name="covers">The last of them.</param>
    /// <param name="newestMs">Nothing in it is of a later time, milliseconds since 1970.</param>
    public string SharedFiles(long from, long covers, long newestMs) =>
        string.Create(CultureInfo.InvariantCulture, $"{SharedFilesFolder}{from:D20}-{covers:D20}-{newestMs:D15}.json");

    /// <summary>Reads commits and time out of the key of what tells of a set of files.</summary>
    public bool TryReadSharedFiles(string key, out long from, out long covers, out long newestMs)
    {
        (from, covers, newestMs) = (0, 0, 0);
        var name = key.StartsWith(SharedFilesFolder, StringComparison.Ordinal) ? key.AsSpan(SharedFilesFolder.Length) : default;
        return name.Length == 20 + 1 + 20 + 1 + 15 + 5
            && long.TryParse(name[..20], NumberStyles.None, CultureInfo.InvariantCulture, out from)
            && long.TryParse(name.Slice(21, 20), NumberStyles.None, CultureInfo.InvariantCulture, out covers)
            && long.TryParse(name.Slice(42, 15), NumberStyles.None, CultureInfo.InvariantCulture, out newestMs)
            && key == SharedFiles(from, covers, newestMs);
    }

    /// <summary>The key of a path below the prefix.</summary>
    public string Below(string path) => root + path;

    /// <summary>What the keys of all parts begin with.</summary>
    public string SharedPartsFolder => root + "shared/parts/";

    /// <summary>What the keys of all changes that people made at a collector begin with: then come the journal's id and the object's name.</summary>
    public string ChangesRoot(string collector) => $"{root}changes/{collector}/";

    /// <summary>What the keys of the changes of one journal begin with.</summary>
    public string ChangesFolder(string collector, Guid journal) => $"{ChangesRoot(collector)}{journal:N}/";

    /// <summary>The changes whose first stands at a place of a journal.</summary>
    public string Changes(string collector, Guid journal, uint segment, long offset) =>
        ChangesFolder(collector, journal) + NameAt(segment, offset) + ChangesExtension;

    /// <summary>Reads the place out of the key of changes.</summary>
    public static bool TryReadChanges(string key, out uint segment, out long offset) => TryReadPlace(key, ChangesExtension, out segment, out offset);

    /// <summary>A key for finding out what a store can do; deleted again.</summary>
    public string Probe(Guid id) => $"{root}probe/{id:N}";
}
