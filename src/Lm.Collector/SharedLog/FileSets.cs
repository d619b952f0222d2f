using System.Collections.Frozen;
using Lm.Collector.Landing;
using Lm.ObjectStore;
using Lm.Platform;

namespace Lm.Collector.SharedLog;

/// <summary>Which commits' records each block and log file in the store holds, as far as it may lie on this disk, too.</summary>
/// <remarks>One list at a time; lookups from any thread.</remarks>
/// <param name="store">The store.</param>
/// <param name="keys">Makes and reads keys.</param>
/// <param name="horizon">What is older is not on this disk.</param>
/// <param name="logger">The log.</param>
internal sealed class FileSets(IObjectStore store, ObjectKeys keys, Func<UnixMillis> horizon, ILogger logger)
{
    private const string BlocksFolder = "blocks/";
    private const int ReadsAtOnce = 16;

    private readonly HashSet<string> told = new(StringComparer.Ordinal); // each damaged one once
    private Dictionary<string, FileSet> known = new(StringComparer.Ordinal);
    private volatile FrozenDictionary<Ulid, (long First, long Last)> commitsOf = FrozenDictionary<Ulid, (long First, long Last)>.Empty;

    /// <summary>Sets that are where readers find them.</summary>
    public int Count => known.Count;

    /// <summary>The first and the last commit of whose records a file holds some; null when that is not known.</summary>
    public (long First, long Last)? CommitsOf(Ulid file) => commitsOf.TryGetValue(file, out var commits) ? commits : null;

    /// <summary>Looks what there is. What is known is not read again.</summary>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public async Task ListAsync(CancellationToken cancellationToken)
    {
        var oldest = horizon();
        var (found, unread) = (new Dictionary<string, FileSet>(StringComparer.Ordinal), new List<string>());
        await foreach (var key in StoreLists.KeysAsync(store, keys.SharedFilesFolder, cancellationToken))
        {
            if (known.TryGetValue(key, out var set))
            {
                found.Add(key, set);
            }
            else if (keys.TryReadSharedFiles(key, out _, out _, out var newest) && newest >= oldest.Value)
            {
                unread.Add(key);
            }
        }

        var gate = new Lock(); // guards found, told
        var options = new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(unread, options, async (key, token) =>
        {
            var (set, fault) = await ReadAsync(store, key, token);
            lock (gate)
            {
                if (set is not null)
                {
                    found[key] = set;
                }
                else if (fault is not null && told.Add(key))
                {
                    SharedLogLog.SetDamaged(logger, key, fault);
                }
            }
        });
        known = found;
        commitsOf = found.Values.SelectMany(static set => IdsOf(set).Select(id => KeyValuePair.Create(id, (set.From, set.Covers)))).ToFrozenDictionary();
    }

    /// <summary>Reads what tells of a set.</summary>
    /// <returns>The set, or what is wrong; neither when it is not there.</returns>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public static async Task<(FileSet? Set, string? Fault)> ReadAsync(IObjectStore store, string key, CancellationToken cancellationToken)
    {
        if (await StoreLists.ReadWholeAsync(store, key, FileSet.SizeMax, cancellationToken) is not { } found)
        {
            return (null, null);
        }

        FileSet? set = null;
        var fault = found.Bytes is { } bytes ? FileSet.TryRead(bytes, out set) : $"it has {found.SizeBytes} bytes; at most {FileSet.SizeMax} are read";
        return (set, fault);
    }

    // Of blocks the folder, of log files what stands before the first dot.
    private static HashSet<Ulid> IdsOf(FileSet set)
    {
        var ids = new HashSet<Ulid>();
        foreach (var file in set.Files)
        {
            var name = file.Path.StartsWith(BlocksFolder, StringComparison.Ordinal) ? file.Path[BlocksFolder.Length..].Split('/')[0] : Path.GetFileName(file.Path).Split('.')[0];
            if (Ulid.TryParse(name, out var id))
            {
                ids.Add(id);
            }
        }

        return ids;
    }
}
