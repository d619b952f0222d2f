namespace Lm.Logs;

/// <summary>What is made of each line while it is in a buffer: filters, parsing, formatting.</summary>
/// <typeparam name="T">What a wanted line becomes.</typeparam>
/// <remarks>Used by one thread at a time, so it may keep scratch buffers.</remarks>
public interface ILineStage<T>
{
    /// <summary>Looks at one line.</summary>
    /// <param name="line">The line; nothing of it may be kept.</param>
    /// <param name="taken">What it became; has a copy of whatever it needs.</param>
    /// <returns>False when the line is not wanted.</returns>
    bool TryTake(in LogLine line, out T taken);

    /// <summary>How many bytes of memory a line that was taken holds, about, for as long as it waits for its turn.</summary>
    /// <param name="taken">What <see cref="TryTake"/> gave.</param>
    long SizeOf(T taken);
}
