using System.Security.Cryptography.X509Certificates;

namespace Lm.ObjectStore.S3;

/// <summary>How to reach a bucket.</summary>
public sealed record S3Options
{
    /// <summary>The server, for example <c>https://s3.example.internal</c>; null: AWS' own for the region.</summary>
    public required Uri? Endpoint { get; init; }

    /// <summary>The region, which requests are signed for.</summary>
    public required string Region { get; init; }

    /// <summary>The bucket.</summary>
    public required string Bucket { get; init; }

    /// <summary>Whether the bucket stands in the path rather than in the host name.</summary>
    public required bool ForcePathStyle { get; init; }

    /// <summary>Gives the keys as they are now; null: AWS' chain (environment, profile, container, instance).</summary>
    public required Func<S3Keys>? Keys { get; init; }

    /// <summary>The certificates that the server's must come from; null: those that the system trusts.</summary>
    public required X509Certificate2Collection? TrustedRoots { get; init; }

    /// <summary>Whether checksums are sent and asked for wherever the server is supposed to know them. Older servers do not.</summary>
    public required bool SendsChecksums { get; init; }

    /// <summary>Whether bodies are sent in signed chunks. Older servers do not know those together with checksums.</summary>
    public required bool UsesChunkEncoding { get; init; }

    /// <summary>Objects longer than this are put in parts of this size, when their put has no condition. At least 5 MiB, which S3 wants.</summary>
    public required long PartSize { get; init; }

    /// <summary>How long a try may take, and one more second for each <see cref="BytesPerSecondMin"/> that it moves.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Tries of a request, the first among them.</summary>
    public required int TriesMax { get; init; }

    /// <summary>The slowest line that requests do not time out on.</summary>
    public static int BytesPerSecondMin => 256 << 10;
}

/// <summary>A pair of keys.</summary>
/// <param name="Id">The access key's id.</param>
/// <param name="Secret">The secret access key.</param>
public sealed record S3Keys(string Id, string Secret)
{
    /// <inheritdoc/>
    public override string ToString() => "***";
}
