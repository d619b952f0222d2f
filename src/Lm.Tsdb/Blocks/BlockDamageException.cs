namespace Lm.Tsdb.Blocks;

/// <summary>A block's file does not hold what its format says.</summary>
/// <param name="path">The file.</param>
/// <param name="offset">Where in it, bytes from its start.</param>
/// <param name="reason">What was found and expected.</param>
public sealed class BlockDamageException(string path, long offset, string reason) : IOException($"{path} at byte {offset}: {reason}")
{
    /// <summary>The file.</summary>
    public string Path => path;

    /// <summary>Bytes from the file's start.</summary>
    public long Offset => offset;
}
