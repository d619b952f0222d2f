using Lm.ObjectStore.S3;

namespace Lm.Collector.Settings;

/// <summary>The <c>[object_store]</c> table.</summary>
internal sealed record ObjectStoreSettings
{
    /// <summary>Which store, and where in it. Not reloadable.</summary>
    public required ObjectStoreTarget Target { get; init; }

    /// <summary>The keys of an S3 store whose credentials come from files. Reloadable.</summary>
    public required S3Keys? Keys { get; init; }

    /// <summary>How long batches wait for company before they are committed (<c>s3_manifest</c>). Default 500 ms. Reloadable.</summary>
    public TimeSpan ManifestLinger { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long what is in the store stays. Default 400 days. Reloadable.</summary>
    public required TimeSpan Retention { get; init; }
}

/// <summary>A store and a place in it: what makes two settings the same store.</summary>
internal sealed record ObjectStoreTarget
{
    /// <summary>The folder of a <c>directory</c> store; null for S3.</summary>
    public required string? Directory { get; init; }

    /// <summary>What every key begins with; empty for none.</summary>
    public required string Prefix { get; init; }

    /// <summary>Whether something else merges and deletes blocks there: <c>compaction = "external"</c>.</summary>
    public bool CompactsElsewhere { get; init; }

    /// <summary>How long records wait at most before they become blocks and log files (<c>s3_manifest</c>). Default 2 h.</summary>
    public TimeSpan BlocksEvery { get; init; } = TimeSpan.FromHours(2);

    /// <summary>The bucket.</summary>
    public string Bucket { get; init; } = "";

    /// <summary>The server; null: AWS' own.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>The region.</summary>
    public string Region { get; init; } = "";

    /// <summary>Whether the bucket stands in the path.</summary>
    public bool ForcePathStyle { get; init; }

    /// <summary>Whether keys come from AWS' chain instead of files.</summary>
    public bool UsesAwsChain { get; init; }

    /// <summary>PEM of the authorities that the server's certificate may come from; null: those of the system.</summary>
    public string? TrustedRoots { get; init; }

    /// <summary>Whether checksums are sent wherever the server is supposed to know them.</summary>
    public bool SendsChecksums { get; init; }

    /// <summary>Whether bodies are sent in signed chunks.</summary>
    public bool UsesChunkEncoding { get; init; }

    /// <summary>Size of the parts of large objects.</summary>
    public long PartSize { get; init; }

    /// <summary>About the most bytes that are put in one request, where they can be divided: servers and proxies are known that take no more, and say so by closing the connection.</summary>
    public long RequestSizeMax => PartSize > 0 ? PartSize : long.MaxValue;

    /// <summary>How long a try may take.</summary>
    public TimeSpan RequestTimeout { get; init; }

    /// <summary>Tries of a request.</summary>
    public int TriesMax { get; init; }
}
