using Lm.Collector.Ingest;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.SharedLog;

/// <summary>One object of the shared log: what became visible, or what replaced what, at one number. Format: docs/formats/commit.md.</summary>
/// <param name="Writer">The collector's name, for people.</param>
/// <param name="Nonce">Tells this commit from all others: whoever finds it under a number knows whether it is its own.</param>
/// <param name="At">The writer's clock.</param>
internal abstract record Commit(string Writer, Guid Nonce, UnixMillis At);

/// <summary>Records of a raw object become visible.</summary>
/// <param name="Writer">See <see cref="Commit"/>.</param>
/// <param name="Nonce">See <see cref="Commit"/>.</param>
/// <param name="At">See <see cref="Commit"/>.</param>
/// <param name="Raw">The object that holds them.</param>
/// <param name="Entries">The records, in the order of the object; at least one, at most <see cref="EntriesMax"/>.</param>
internal sealed record DataCommit(string Writer, Guid Nonce, UnixMillis At, StoredObject Raw, IReadOnlyList<CommitEntry> Entries) : Commit(Writer, Nonce, At)
{
    /// <summary>The most records of one commit: its object is then of some 1.2 MB at the most usual length of names.</summary>
    public const int EntriesMax = 4096;
}

/// <summary>What many commits made visible is in other objects now.</summary>
/// <param name="Writer">See <see cref="Commit"/>.</param>
/// <param name="Nonce">See <see cref="Commit"/>.</param>
/// <param name="At">See <see cref="Commit"/>.</param>
/// <param name="From">The first commit that it covers: the one behind all that were covered before, or it counts for nothing.</param>
/// <param name="Covers">The last one; one less than <paramref name="From"/> where it covers none.</param>
/// <param name="Adds">The objects that hold the records of those commits.</param>
/// <param name="Removes">Keys of objects of earlier builds that are not wanted any more.</param>
/// <param name="ForgetBefore">Queues whose last batch came before are forgotten.</param>
internal sealed record BuildCommit(
    string Writer, Guid Nonce, UnixMillis At, long From, long Covers, IReadOnlyList<LogPart> Adds, IReadOnlyList<string> Removes, UnixMillis ForgetBefore) : Commit(Writer, Nonce, At);

/// <summary>Blocks and log files were made of the records of some commits, and wait to be brought to where readers find them.</summary>
/// <param name="Writer">See <see cref="Commit"/>.</param>
/// <param name="Nonce">See <see cref="Commit"/>.</param>
/// <param name="At">See <see cref="Commit"/>.</param>
/// <param name="From">The first commit whose records they have: the one behind all that were in files before, or it counts for nothing.</param>
/// <param name="Covers">The last one.</param>
/// <param name="Manifest">Names all of the files (<see cref="FileSet"/>).</param>
internal sealed record FilesCommit(string Writer, Guid Nonce, UnixMillis At, long From, long Covers, StoredObject Manifest) : Commit(Writer, Nonce, At);

/// <summary>The files of the last <see cref="FilesCommit"/> are where readers find them, and were read back there.</summary>
/// <param name="Writer">See <see cref="Commit"/>.</param>
/// <param name="Nonce">See <see cref="Commit"/>.</param>
/// <param name="At">See <see cref="Commit"/>.</param>
/// <param name="Covers">The last commit whose records they have.</param>
internal sealed record PublishedCommit(string Writer, Guid Nonce, UnixMillis At, long Covers) : Commit(Writer, Nonce, At);

/// <summary>Files that count and are not known to be where readers find them.</summary>
/// <param name="From">The first commit whose records they have.</param>
/// <param name="Covers">The last one.</param>
/// <param name="Manifest">Names all of them.</param>
internal sealed record PendingFiles(long From, long Covers, StoredObject Manifest);

/// <summary>An object and what it must be.</summary>
/// <param name="Key">Its key.</param>
/// <param name="SizeBytes">Its bytes.</param>
/// <param name="Hash">SHA-256, hexadecimal: of a raw object of all but its trailer, as the trailer has it.</param>
internal sealed record StoredObject(string Key, long SizeBytes, string Hash);

/// <summary>An object that holds the records of many commits, in their order.</summary>
/// <param name="Object">The object.</param>
/// <param name="First">The first of the commits.</param>
/// <param name="Last">The last of them.</param>
/// <param name="Newest">No record in it came later.</param>
internal sealed record LogPart(StoredObject Object, long First, long Last, UnixMillis Newest);

/// <summary>A record of a raw object.</summary>
/// <param name="Kind">What it is, as its first byte says (docs/formats/spool.md).</param>
/// <param name="Offset">Where it begins in the object.</param>
/// <param name="Size">Its bytes.</param>
/// <param name="Checksum">CRC-32C of them.</param>
/// <param name="ReceivedAt">When it came.</param>
/// <param name="Frame">Of a batch: what it is known by. Null for records that nobody numbers: remote write, and the collectors' own <c>up</c>.</param>
internal sealed record CommitEntry(byte Kind, long Offset, int Size, uint Checksum, UnixMillis ReceivedAt, CommitFrame? Frame);

/// <summary>What a batch is known by.</summary>
/// <param name="Key">The dedupe key.</param>
/// <param name="Fingerprint">What its frame is told by.</param>
/// <param name="Floor">The queue's floor when it was admitted; 0 when not known.</param>
internal sealed record CommitFrame(BatchKey Key, FrameFingerprint Fingerprint, ulong Floor);
