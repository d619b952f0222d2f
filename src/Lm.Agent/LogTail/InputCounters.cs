namespace Lm.Agent.LogTail;

/// <summary>What became of one input's lines since the program started. Written by the tail loop, read by others.</summary>
internal sealed class InputCounters(string name)
{
    private long lines;
    private long bytes;
    private long truncated;
    private long repaired;
    private long excluded;
    private long lostFiles;
    private long files;
    private long behind;

    public string Name => name;

    /// <summary>Records made.</summary>
    public long Lines => Volatile.Read(ref lines);

    /// <summary>Bytes of the files, or of the journal's messages, that they and excluded lines took.</summary>
    public long Bytes => Volatile.Read(ref bytes);

    /// <summary>Records cut at max_log_message_bytes.</summary>
    public long Truncated => Volatile.Read(ref truncated);

    /// <summary>Records whose text was no UTF-8.</summary>
    public long Repaired => Volatile.Read(ref repaired);

    /// <summary>Lines that <c>exclude</c> left out.</summary>
    public long Excluded => Volatile.Read(ref excluded);

    /// <summary>Files that were gone, or truncated, before all of them was read.</summary>
    public long LostFiles => Volatile.Read(ref lostFiles);

    /// <summary>Files that are followed.</summary>
    public long Files => Volatile.Read(ref files);

    /// <summary>Bytes of them that are not read yet.</summary>
    public long Behind => Volatile.Read(ref behind);

    public void AddLine(LineMarks marks)
    {
        lines++;
        truncated += marks.HasFlag(LineMarks.Truncated) ? 1 : 0;
        repaired += marks.HasFlag(LineMarks.InvalidUtf8) ? 1 : 0;
    }

    public void AddBytes(long count) => bytes += count;

    public void AddExcluded() => excluded++;

    public void AddLostFile() => lostFiles++;

    public void SetFiles(long count, long behindBytes) => (files, behind) = (count, behindBytes);
}
