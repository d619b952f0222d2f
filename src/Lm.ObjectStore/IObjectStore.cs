namespace Lm.ObjectStore;

/// <summary>A place for objects: bytes under a key, written whole or not at all.</summary>
/// <remarks>
/// What every store promises:
/// an object that a put has answered for is durable, and whole under its key; one that failed may be there whole, or not at all;
/// of all puts of one key with <see cref="PutCondition.IfAbsent"/> at most one is answered <see cref="PutOutcome.Stored"/>;
/// what was put is found by reads and lists from then on;
/// every failure but a cancellation, and one to read the content, is an <see cref="ObjectStoreException"/>; what is worth another try was tried again, with jitter, before.
/// Safe for concurrent use. Keys are those that <see cref="ObjectKey.Fault"/> takes.
/// </remarks>
public interface IObjectStore : IDisposable
{
    /// <summary>What it is, for logs and messages: no secrets.</summary>
    string Description { get; }

    /// <summary>Puts one object.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="content">Its bytes; may be read more than once.</param>
    /// <param name="condition">Whether it may replace another.</param>
    /// <param name="cancellationToken">Gives up; whether it is stored is then not known.</param>
    /// <returns>After a lost answer, <see cref="PutOutcome.AlreadyThere"/> may be this very put: whoever must know compares what is there.</returns>
    Task<PutOutcome> PutAsync(string key, ObjectContent content, PutCondition condition, CancellationToken cancellationToken);

    /// <summary>Reads a range of an object.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="offset">Where to begin; may lie behind the end.</param>
    /// <param name="buffer">Filled, but for what lies behind the end.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Null when there is no such object.</returns>
    Task<ObjectRange?> ReadAsync(string key, long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Finds an object without reading it.</summary>
    /// <returns>Null when there is none.</returns>
    Task<ObjectInfo?> FindAsync(string key, CancellationToken cancellationToken);

    /// <summary>Lists objects by key, in ordinal order.</summary>
    /// <param name="prefix">What keys begin with; may end within a name, may be empty.</param>
    /// <param name="after">Only keys behind this one; empty for all.</param>
    /// <param name="limit">At most so many, from 1 to <see cref="ObjectPage.SizeMax"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<ObjectPage> ListAsync(string prefix, string after, int limit, CancellationToken cancellationToken);

    /// <summary>Deletes an object; nothing when there is none.</summary>
    Task DeleteAsync(string key, CancellationToken cancellationToken);
}

/// <summary>Whether a put may replace what is there.</summary>
public enum PutCondition
{
    /// <summary>It replaces what is there.</summary>
    None = 0,

    /// <summary>It is refused when there is something.</summary>
    IfAbsent,
}

/// <summary>How a put ended.</summary>
public enum PutOutcome
{
    /// <summary>It is stored.</summary>
    Stored = 0,

    /// <summary>Something was there, and stays.</summary>
    AlreadyThere,
}

/// <summary>What a read gave.</summary>
/// <param name="Count">Bytes read.</param>
/// <param name="ObjectSize">Bytes of the whole object.</param>
public readonly record struct ObjectRange(int Count, long ObjectSize);

/// <summary>An object as a list or a look tells of it.</summary>
/// <param name="Key">Its key.</param>
/// <param name="SizeBytes">Its bytes.</param>
public sealed record ObjectInfo(string Key, long SizeBytes);

/// <summary>A part of a list.</summary>
/// <param name="Objects">The objects, by key.</param>
/// <param name="HasMore">Whether more follow behind the last of them.</param>
public sealed record ObjectPage(IReadOnlyList<ObjectInfo> Objects, bool HasMore)
{
    /// <summary>The longest part that may be asked for: what S3 gives at most.</summary>
    public const int SizeMax = 1000;
}
