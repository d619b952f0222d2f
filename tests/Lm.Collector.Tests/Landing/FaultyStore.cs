using Lm.ObjectStore;

namespace Lm.Collector.Tests.Landing;

/// <summary>A store that fails where a test says so.</summary>
internal sealed class FaultyStore(IObjectStore inner) : IObjectStore
{
    private int calls;

    /// <summary>Says what becomes of a call: its number, its kind, its key.</summary>
    public Func<int, StoreRequest, string, StoreTrouble> Trouble { get; set; } = static (_, _, _) => StoreTrouble.None;

    /// <summary>Whether conditions are passed over.</summary>
    public bool Overwrites { get; set; }

    /// <summary>What a put of a key waits for.</summary>
    public Func<string, Task> Holding { get; set; } = static _ => Task.CompletedTask;

    /// <summary>Puts that were asked for.</summary>
    public List<string> Puts { get; } = [];

    /// <summary>Deletions that were asked for.</summary>
    public List<string> Deletes { get; } = [];

    public int Calls => calls;

    public string Description => "store of the test";

    public async Task<PutOutcome> PutAsync(string key, ObjectContent content, PutCondition condition, CancellationToken cancellationToken)
    {
        lock (Puts)
        {
            Puts.Add(key);
        }

        var trouble = Next(StoreRequest.Put, key);
        ThrowIf(trouble == StoreTrouble.FailsBefore);
        await Holding(key);
        var stored = trouble == StoreTrouble.Damages ? Damaged(content) : content;
        var outcome = await inner.PutAsync(key, stored, Overwrites ? PutCondition.None : condition, cancellationToken);
        ThrowIf(trouble == StoreTrouble.FailsAfter);
        return outcome;
    }

    public async Task<ObjectRange?> ReadAsync(string key, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var trouble = Next(StoreRequest.Get, key);
        ThrowIf(trouble is not (StoreTrouble.None or StoreTrouble.Misses or StoreTrouble.Garbles));
        var range = trouble == StoreTrouble.Misses ? null : await inner.ReadAsync(key, offset, buffer, cancellationToken);
        if (trouble == StoreTrouble.Garbles && range is { Count: > 0 and var count })
        {
            buffer.Span[count - 1] ^= 1;
        }

        return range;
    }

    public async Task<ObjectInfo?> FindAsync(string key, CancellationToken cancellationToken)
    {
        ThrowIf(Next(StoreRequest.Head, key) != StoreTrouble.None);
        return await inner.FindAsync(key, cancellationToken);
    }

    public async Task<ObjectPage> ListAsync(string prefix, string after, int limit, CancellationToken cancellationToken)
    {
        ThrowIf(Next(StoreRequest.List, prefix) != StoreTrouble.None);
        return await inner.ListAsync(prefix, after, Math.Min(limit, 2), cancellationToken); // pages as a large bucket has
    }

    public async Task DeleteAsync(string key, CancellationToken cancellationToken)
    {
        Deletes.Add(key);
        var trouble = Next(StoreRequest.Delete, key);
        ThrowIf(trouble == StoreTrouble.FailsBefore);
        await inner.DeleteAsync(key, cancellationToken);
        ThrowIf(trouble == StoreTrouble.FailsAfter);
    }

    public void Dispose() => inner.Dispose();

    private static ObjectContent Damaged(ObjectContent content)
    {
        var bytes = new byte[content.Length];
        content.Read(0, bytes);
        bytes[bytes.Length / 2] ^= 1;
        return ObjectContent.Of(bytes);
    }

    private static void ThrowIf(bool fails)
    {
        if (fails)
        {
            throw new ObjectStoreException(ObjectStoreFault.Unreachable, "the store of the test is away", cause: null);
        }
    }

    private StoreTrouble Next(StoreRequest request, string key) => Trouble(calls++, request, key);
}

internal enum StoreTrouble
{
    None,

    /// <summary>Nothing is done.</summary>
    FailsBefore,

    /// <summary>It is done, and the answer is lost.</summary>
    FailsAfter,

    /// <summary>What is stored is not what was sent.</summary>
    Damages,

    /// <summary>A read finds no such object.</summary>
    Misses,

    /// <summary>What is read is not what is stored.</summary>
    Garbles,
}
