namespace Lm.Tsdb.Blocks;

/// <summary>Blocks that lie elsewhere than in the set of the local ones.</summary>
public interface IBlockSource
{
    /// <summary>The blocks that may hold samples of a range that the local ones lack.</summary>
    /// <param name="from">The earliest time, milliseconds since 1970.</param>
    /// <param name="until">The latest.</param>
    /// <param name="local">The local blocks of that range.</param>
    /// <returns>Each held once for the caller.</returns>
    /// <exception cref="IOException">One of them cannot be read.</exception>
    IReadOnlyList<BlockReader> Take(long from, long until, IReadOnlyList<BlockMeta> local);
}
