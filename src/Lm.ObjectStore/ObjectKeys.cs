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
    public string RawFolder(string collector, Guid incarnation) => $"{RawRoot(collector)}{incarnation:N}/";

    /// <summary>What the keys of all raw objects of a collector begin with, those of all lives of its spool.</summary>
    public string RawRoot(string collector) => $"{root}raw/{collector}/";

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

    /// <summary>What the keys of all blocks begin with.</summary>
    public string BlockRoot => root + "blocks/";

    /// <summary>What the keys of all log files begin with.</summary>
    public string LogFolder => root + "logs/";

    /// <summary>A sealed log file, or its index.</summary>
    /// <param name="date"><c>date=YYYY-MM-DD</c>.</param>
    /// <param name="hour"><c>hour=HH</c>, or <c>hour=late</c>.</param>
    /// <param name="name">The file's name.</param>
    public string Log(string date, string hour, string name) => $"{LogFolder}{date}/{hour}/{name}";

    /// <summary>What the keys of all files begin with that tell what a collector knows beside its records: then come the life of its spool and the file's name.</summary>
    public string StateRoot(string collector) => $"{root}state/{collector}/";

    /// <summary>A key for finding out what a store can do; deleted again.</summary>
    public string Probe(Guid id) => $"{root}probe/{id:N}";
}
