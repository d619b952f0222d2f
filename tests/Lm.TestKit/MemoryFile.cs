namespace Lm.TestKit;

/// <summary>A file's content as the page cache shows it and as the device holds it.</summary>
/// <remarks>The unit is a sector of 512 bytes: it reaches the device whole or not at all, in any order, at any time between its
/// write and a sync. A failed sync marks sectors clean without writing them, as Linux does. Guarded by the file system's lock.</remarks>
internal sealed class MemoryFile(ulong inode)
{
    public const int SectorSize = 512;

    private readonly SortedSet<int> dirty = [];
    private byte[] cache = [];
    private byte[] device = [];
    private bool lengthIsDirty;

    public ulong Inode => inode;

    public int Length => cache.Length;

    public ReadOnlySpan<byte> Content => cache;

    public ReadOnlySpan<byte> DeviceContent => device;

    public void Write(long offset, ReadOnlySpan<byte> data, Random writeback)
    {
        var from = (int)Math.Min(offset, cache.Length); // a gap reads as zeros, and those are written too
        var end = (int)offset + data.Length;
        if (end > cache.Length)
        {
            Array.Resize(ref cache, end);
            lengthIsDirty = true;
        }

        data.CopyTo(cache.AsSpan((int)offset));
        MarkDirty(from, end);
        if (writeback.Next(4) == 0)
        {
            WriteBackSome(writeback); // what the kernel does when it likes: a later overwrite may then be lost alone
        }
    }

    public void Truncate(long length)
    {
        if (length != cache.Length)
        {
            Array.Resize(ref cache, (int)length);
            lengthIsDirty = true;
            dirty.RemoveWhere(sector => sector * SectorSize >= length);
            MarkDirty(Math.Max(0, (int)length - 1), (int)length);
        }
    }

    public void Sync()
    {
        SetDeviceLength(cache.Length);
        foreach (var sector in dirty)
        {
            WriteBack(sector);
        }

        dirty.Clear();
        lengthIsDirty = false;
    }

    /// <summary>A sync that fails: some sectors reach the device, all are clean from now on.</summary>
    public void FailSync(Random random)
    {
        CrashDevice(random);
        dirty.Clear();
        lengthIsDirty = false;
    }

    /// <summary>Forgets clean sectors: they show what the device holds.</summary>
    public void DropCache()
    {
        var shown = device.AsSpan().ToArray();
        if (lengthIsDirty || dirty.Count > 0)
        {
            Array.Resize(ref shown, cache.Length);
            foreach (var sector in dirty)
            {
                var start = sector * SectorSize;
                var count = Math.Min(SectorSize, cache.Length - start);
                cache.AsSpan(start, count).CopyTo(shown.AsSpan(start));
            }
        }

        cache = shown;
    }

    /// <summary>What a power cut leaves: any subset of what was not synced.</summary>
    public void Crash(Random random)
    {
        CrashDevice(random);
        dirty.Clear();
        lengthIsDirty = false;
        cache = device.AsSpan().ToArray();
    }

    public MemoryFile Copy()
    {
        var copy = new MemoryFile(inode) { cache = [.. cache], device = [.. device], lengthIsDirty = lengthIsDirty };
        copy.dirty.UnionWith(dirty);
        return copy;
    }

    /// <summary>Changes bytes on the device and in the cache: bit rot.</summary>
    public void Overwrite(int offset, ReadOnlySpan<byte> data)
    {
        data.CopyTo(cache.AsSpan(offset));
        data.CopyTo(device.AsSpan(offset));
    }

    private void CrashDevice(Random random)
    {
        // Modes of real crashes: nothing, everything, or a mixture that differs from sector to sector.
        var chance = random.Next(4) switch { 0 => 0, 1 => 100, 2 => 85, _ => 40 };
        if (lengthIsDirty && random.Next(100) < Math.Max(chance, 10))
        {
            var between = device.Length < cache.Length ? random.Next(device.Length, cache.Length + 1) : cache.Length;
            SetDeviceLength(random.Next(3) == 0 ? between : cache.Length);
        }

        foreach (var sector in dirty)
        {
            if (random.Next(100) < chance)
            {
                WriteBack(sector);
            }
        }
    }

    private void WriteBackSome(Random random)
    {
        SetDeviceLength(Math.Max(device.Length, random.Next(2) == 0 ? cache.Length : 0));
        foreach (var sector in dirty)
        {
            if (random.Next(2) == 0)
            {
                WriteBack(sector);
            }
        }
    }

    private void WriteBack(int sector)
    {
        var start = sector * SectorSize;
        var count = Math.Min(SectorSize, Math.Min(cache.Length, device.Length) - start);
        if (count > 0)
        {
            cache.AsSpan(start, count).CopyTo(device.AsSpan(start));
        }
    }

    private void SetDeviceLength(int length)
    {
        if (length != device.Length)
        {
            Array.Resize(ref device, length);
        }
    }

    private void MarkDirty(int from, int end)
    {
        for (var sector = from / SectorSize; sector * SectorSize < end; sector++)
        {
            dirty.Add(sector);
        }
    }
}
