namespace Lm.TestKit;

/// <summary>A directory's names, as they show and as the device holds them. Guarded by the file system's lock.</summary>
internal sealed class MemoryDirectory(ulong inode)
{
    private readonly Dictionary<string, MemoryFile> shown = new(StringComparer.Ordinal);
    private readonly Dictionary<string, MemoryFile> durable = new(StringComparer.Ordinal);
    private readonly List<NameChange> unsynced = [];

    public ulong Inode => inode;

    public long SizeBytes => shown.Values.Sum(file => (long)file.Length);

    public MemoryFile? Find(string name) => shown.GetValueOrDefault(name);

    public string[] Names() => [.. shown.Keys.Order(StringComparer.Ordinal)];

    public void Set(string name, MemoryFile file) => Change(new NameChange(null, name, file));

    public void Remove(string name) => Change(new NameChange(name, null, null));

    public void Rename(string source, string target, MemoryFile file) => Change(new NameChange(source, target, file));

    public void PutDurably(string name, MemoryFile file)
    {
        shown[name] = file;
        durable[name] = file;
    }

    public void Sync()
    {
        unsynced.ForEach(change => change.Apply(durable));
        unsynced.Clear();
    }

    /// <summary>Everything as it was, on copies of the files.</summary>
    public MemoryDirectory AfterKill(Dictionary<MemoryFile, MemoryFile> copies)
    {
        var next = new MemoryDirectory(inode);
        foreach (var (name, file) in durable)
        {
            next.PutDurably(name, CopyOf(file, copies));
        }

        foreach (var change in unsynced)
        {
            next.Change(change with { File = change.File is null ? null : CopyOf(change.File, copies) });
        }

        return next;
    }

    public MemoryDirectory AfterPowerCut(Random random, Dictionary<MemoryFile, MemoryFile> copies)
    {
        var left = new Dictionary<string, MemoryFile>(durable, StringComparer.Ordinal);
        var inOrder = random.Next(2) == 0; // file systems with a journal keep the order of names; nothing says that they must
        foreach (var change in unsynced)
        {
            if (random.Next(2) == 0)
            {
                change.Apply(left);
            }
            else if (inOrder)
            {
                break;
            }
        }

        var next = new MemoryDirectory(inode);
        foreach (var (name, file) in left)
        {
            var isFirstName = !copies.ContainsKey(file);
            var copy = CopyOf(file, copies);
            if (isFirstName)
            {
                copy.Crash(random);
            }

            next.PutDurably(name, copy);
        }

        return next;
    }

    private static MemoryFile CopyOf(MemoryFile file, Dictionary<MemoryFile, MemoryFile> copies)
    {
        if (!copies.TryGetValue(file, out var copy))
        {
            copy = file.Copy();
            copies.Add(file, copy);
        }

        return copy;
    }

    private void Change(NameChange change)
    {
        change.Apply(shown);
        unsynced.Add(change);
    }

    /// <summary>One change, atomic on the device: a creation, a deletion, or a rename, which is both.</summary>
    private readonly record struct NameChange(string? Removed, string? Added, MemoryFile? File)
    {
        public void Apply(Dictionary<string, MemoryFile> names)
        {
            if (Removed is not null)
            {
                names.Remove(Removed);
            }

            if (Added is not null)
            {
                names[Added] = File!;
            }
        }
    }
}
