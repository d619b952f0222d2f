using System.Globalization;

using Lm.Platform.Files;

namespace Lm.Journal;

/// <summary>Sets damaged stretches aside as <c>NNNNNNNNNN.seg.OFFSET.damaged</c>, so that they outlive their segment.</summary>
/// <remarks>The segment itself is not changed, so a failing copy loses nothing and does not keep the journal from opening. The
/// copies together stay below a bound; they are an operator's to delete.</remarks>
internal sealed class DamageKeeper(IFileSystem files, string directory, long sizeMax)
{
    public const string Extension = ".damaged";

    private readonly List<JournalDamage> found = [];
    private long? keptBytes;

    public IReadOnlyList<JournalDamage> Found => found;

    /// <summary>Copies a stretch of a segment.</summary>
    public void SetAside(uint segment, long offset, long size, string reason)
    {
        var source = Path.Combine(directory, SegmentFormat.FileName(segment));
        var target = $"{source}.{offset.ToString(CultureInfo.InvariantCulture)}{Extension}";
        try
        {
            if (files.Exists(target))
            {
                found.Add(new JournalDamage(segment, offset, size, reason, target) { WasKnown = true });
                return;
            }

            keptBytes ??= KeptBytes();
            if (keptBytes + size > sizeMax)
            {
                reason += $"; not copied: {keptBytes} damaged bytes are kept in {directory} already, {sizeMax} are allowed";
                found.Add(new JournalDamage(segment, offset, size, reason, ""));
                return;
            }

            Copy(source, offset, size, target);
            keptBytes += size;
            found.Add(new JournalDamage(segment, offset, size, reason, target));
        }
        catch (FileSystemException failure)
        {
            found.Add(new JournalDamage(segment, offset, size, $"{reason}; not copied: {failure.Message}", ""));
        }
    }

    /// <summary>Renames a whole segment that is not the journal's.</summary>
    public void SetAsideWhole(uint segment, long size, string reason)
    {
        var source = Path.Combine(directory, SegmentFormat.FileName(segment));
        var target = $"{source}{Extension}";
        for (var copy = 1; files.Exists(target); copy++)
        {
            target = $"{source}.{copy.ToString(CultureInfo.InvariantCulture)}{Extension}";
        }

        files.Rename(source, target);
        files.SyncDirectory(directory);
        found.Add(new JournalDamage(segment, 0, size, reason, target));
    }

    private void Copy(string source, long offset, long size, string target)
    {
        var temporary = target + ".tmp";
        files.Delete(temporary); // what a crash left
        using (var from = files.Open(source, writable: false))
        using (var to = files.Create(temporary))
        {
            var buffer = new byte[32 << 10];
            for (long done = 0; done < size;)
            {
                var count = from.Read(offset + done, buffer.AsSpan(0, (int)Math.Min(buffer.Length, size - done)));
                if (count == 0)
                {
                    break; // the file is shorter than it should be: that is the damage
                }

                to.Write(done, buffer.AsSpan(0, count));
                done += count;
            }

            to.Sync();
        }

        files.Rename(temporary, target);
        files.SyncDirectory(directory);
    }

    private long KeptBytes()
    {
        long sum = 0;
        foreach (var name in files.List(directory))
        {
            if (name.EndsWith(Extension, StringComparison.Ordinal))
            {
                using var file = files.Open(Path.Combine(directory, name), writable: false);
                sum += file.Length;
            }
        }

        return sum;
    }
}
