namespace Lm.ObjectStore;

/// <summary>Counts requests to a store, every try, and those that failed, by kind.</summary>
public sealed class StoreCounters
{
    private static readonly int RequestKinds = Enum.GetValues<StoreRequest>().Length;

    private readonly long[] requests = new long[RequestKinds];
    private readonly long[] failures = new long[RequestKinds * ObjectStoreFaults.All.Count];
    private long sentBytes;
    private long receivedBytes;

    /// <summary>Bytes of objects sent, those of failed tries not among them.</summary>
    public long SentBytes => Interlocked.Read(ref sentBytes);

    /// <summary>Bytes of objects received.</summary>
    public long ReceivedBytes => Interlocked.Read(ref receivedBytes);

    /// <summary>Tries of a kind.</summary>
    public long Requests(StoreRequest request) => Interlocked.Read(ref requests[(int)request]);

    /// <summary>Those of them that failed so.</summary>
    public long Failures(StoreRequest request, ObjectStoreFault fault) => Interlocked.Read(ref failures[Index(request, fault)]);

    /// <summary>The name of a kind in metrics.</summary>
    public static string Name(StoreRequest request) => request switch
    {
        StoreRequest.Put => "put",
        StoreRequest.Get => "get",
        StoreRequest.Head => "head",
        StoreRequest.List => "list",
        _ => "delete",
    };

    internal void Count(StoreRequest request) => Interlocked.Increment(ref requests[(int)request]);

    internal void CountFailure(StoreRequest request, ObjectStoreFault fault) => Interlocked.Increment(ref failures[Index(request, fault)]);

    internal void CountSent(long bytes) => Interlocked.Add(ref sentBytes, bytes);

    internal void CountReceived(long bytes) => Interlocked.Add(ref receivedBytes, bytes);

    private static int Index(StoreRequest request, ObjectStoreFault fault) => ((int)request * ObjectStoreFaults.All.Count) + (int)fault;
}
