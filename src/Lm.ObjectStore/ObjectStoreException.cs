namespace Lm.ObjectStore;

/// <summary>A request to an object store failed.</summary>
public sealed class ObjectStoreException : IOException
{
    /// <summary>Describes the failure.</summary>
    /// <param name="fault">What kind it is.</param>
    /// <param name="message">What was asked of which store, and what happened.</param>
    /// <param name="cause">What it came from.</param>
    public ObjectStoreException(ObjectStoreFault fault, string message, Exception? cause)
        : base(message, cause) => Fault = fault;

    /// <summary>What kind it is.</summary>
    public ObjectStoreFault Fault { get; }
}

/// <summary>Kinds of failures.</summary>
public enum ObjectStoreFault
{
    /// <summary>The server cannot be reached, or the connection broke.</summary>
    Unreachable = 0,

    /// <summary>No answer in time.</summary>
    TimedOut,

    /// <summary>The server is overloaded, or wants fewer requests (429, 503).</summary>
    Busy,

    /// <summary>The server failed (500, 502, 504 …), or the disk of a directory.</summary>
    Failed,

    /// <summary>Another request for the key was under way (409).</summary>
    Conflict,

    /// <summary>An answer ended early.</summary>
    Cut,

    /// <summary>What was sent did not arrive as it was, or the server's clock is far from ours: its signature was refused.</summary>
    Damaged,

    /// <summary>The credentials are wrong, missing, or do not suffice (401, 403).</summary>
    Denied,

    /// <summary>The bucket does not exist.</summary>
    NoBucket,

    /// <summary>The server cannot do that (501): conditional puts, with some.</summary>
    NotSupported,

    /// <summary>The server does not take the request for another reason.</summary>
    Refused,

    /// <summary>There is no room.</summary>
    Full,
}

/// <summary>What is known of kinds of failures.</summary>
public static class ObjectStoreFaults
{
    /// <summary>Every kind.</summary>
    public static IReadOnlyList<ObjectStoreFault> All { get; } = Enum.GetValues<ObjectStoreFault>();

    /// <summary>Whether the same request may succeed a moment later.</summary>
    public static bool IsPassing(this ObjectStoreFault fault) => fault is ObjectStoreFault.Unreachable or ObjectStoreFault.TimedOut or ObjectStoreFault.Busy
        or ObjectStoreFault.Failed or ObjectStoreFault.Conflict or ObjectStoreFault.Cut or ObjectStoreFault.Damaged;

    /// <summary>Its name in metrics: <c>timed_out</c>.</summary>
    public static string Name(this ObjectStoreFault fault) => fault switch
    {
        ObjectStoreFault.Unreachable => "unreachable",
        ObjectStoreFault.TimedOut => "timed_out",
        ObjectStoreFault.Busy => "busy",
        ObjectStoreFault.Failed => "failed",
        ObjectStoreFault.Conflict => "conflict",
        ObjectStoreFault.Cut => "cut",
        ObjectStoreFault.Damaged => "damaged",
        ObjectStoreFault.Denied => "denied",
        ObjectStoreFault.NoBucket => "no_bucket",
        ObjectStoreFault.NotSupported => "not_supported",
        ObjectStoreFault.Full => "full",
        _ => "refused",
    };
}
