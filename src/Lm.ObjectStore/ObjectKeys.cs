using System.Globalization;

namespace Lm.ObjectStore;

/// <summary>Every key that the product writes is made and read here.</summary>
/// <param name="prefix">What all of them begin with; empty for none.</param>
public sealed class ObjectKeys(string prefix)
{
    private const string RawExtension = ".lmf";
    private const int SegmentDigits = 10;
    private const int OffsetDigits = 12;

    private readonly string root = prefix.Length == 0 ? "" : prefix + "/";

    /// <summary>The raw object whose first record stands at a place of a collector's spool.</summary>
    public string Raw(string collector, Guid incarnation, uint segment, long offset) => RawAt(collector, incarnation, segment, offset) + RawExtension;

    /// <summary>What stands before the key of that object and behind those of all places before: for lists that begin there.</summary>
    public string RawAt(string collector, Guid incarnation, uint segment, long offset) =>
        RawFolder(collector, incarnation) + segment.ToString("D10", CultureInfo.InvariantCulture) + "-" + offset.ToString("D12", CultureInfo.InvariantCulture);

    /// <summary>What the keys of all raw objects of one life of a collector's spool begin with.</summary>
    public string RawFolder(string collector, Guid incarnation) => $"{root}raw/{collector}/{incarnation:N}/";

    /// <summary>Reads the place out of a raw object's key.</summary>
    public static bool TryReadRaw(string key, out uint segment, out long offset)
    {
        (segment, offset) = (0, 0);
        var name = key.AsSpan(key.LastIndexOf('/') + 1);
        return name.Length == SegmentDigits + 1 + OffsetDigits + RawExtension.Length
            && name[SegmentDigits] == '-'
            && name.EndsWith(RawExtension, StringComparison.Ordinal)
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

    /// <summary>A key for finding out what a store can do; deleted again.</summary>
    public string Probe(Guid id) => $"{root}probe/{id:N}";
}
