using Lm.Platform;

namespace Lm.Logs;

/// <summary>A sealed file: it never changes, and lies on the disk as it does in the bucket.</summary>
public sealed record StoredLogFile
{
    /// <summary>Its name.</summary>
    public required Ulid Id { get; init; }

    /// <summary>Which lines it holds.</summary>
    public required LogWindow Window { get; init; }

    /// <summary>Where it lies.</summary>
    public required string Path { get; init; }

    /// <summary>Where its index lies.</summary>
    public required string IndexPath { get; init; }

    /// <summary>Its bytes.</summary>
    public required long FileBytes { get; init; }

    /// <summary>Bytes of its index.</summary>
    public required long IndexBytes { get; init; }

    /// <summary>Its lines.</summary>
    public required long Lines { get; init; }

    /// <summary>Bytes of its lines' bodies.</summary>
    public required long BodyBytes { get; init; }

    /// <summary>The time of its oldest line, milliseconds since 1970-01-01T00:00:00Z.</summary>
    public required long MinTime { get; init; }

    /// <summary>The time of its newest line.</summary>
    public required long MaxTime { get; init; }

    /// <summary>Bytes on the disk.</summary>
    public long SizeBytes => FileBytes + IndexBytes;

    /// <summary>The number of the open file that it was made of; 0 when that is not known.</summary>
    internal uint Source { get; init; }
}
