using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Lm.Collector.Changes;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.PromQL;

namespace Lm.Collector.Dashboards;

/// <summary>The dashboards that people saved: the fold of the journal of changes.</summary>
internal sealed class SavedDashboards : IAsyncDisposable
{
    /// <summary>What kind of change it is.</summary>
    public const string Kind = "dashboard";

    /// <summary>How many are kept.</summary>
    public const int CountMax = 500;

    /// <summary>Bytes of all definitions together, as characters.</summary>
    public const int SizeMax = 16 << 20;

    private readonly ChangeLog changes;
    private readonly PromSemantics semantics;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly SemaphoreSlim gate = new(1, 1); // one change at a time: each is judged by what is there
    private volatile ImmutableSortedDictionary<string, Dashboard> all;
    private volatile bool isWaiting;
    private bool isHalfRestored; // guarded by gate: an earlier start began to take over changes and did not end

    private SavedDashboards(ChangeLog changes, DashboardFold fold, PromSemantics semantics, TimeProvider time, ILogger logger)
    {
        (this.changes, this.semantics, this.time, this.logger) = (changes, semantics, time, logger);
        (all, isHalfRestored) = (fold.Read(semantics, logger), fold.IsRestoring);
    }

    /// <summary>What people changed; read by landing.</summary>
    public ChangeLog Changes => changes;

    /// <summary>Whether nothing may be changed yet: the object store has not said what was changed before the disk was lost, and what comes first would be undone by it.</summary>
    public bool IsWaiting => isWaiting;

    /// <summary>All of them, by id; a snapshot.</summary>
    public ImmutableSortedDictionary<string, Dashboard> All => all;

    /// <summary>Bytes that the journal of changes holds.</summary>
    public long ChangesBytes => changes.SizeBytes;

    /// <summary>Opens the journal of changes and reads it.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="directory">The journal's folder.</param>
    /// <param name="semantics">Whose PromQL.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Takes log events.</param>
    /// <exception cref="IOException">The folder cannot be used.</exception>
    public static SavedDashboards Open(IFileSystem files, string directory, PromSemantics semantics, TimeProvider time, ILogger logger)
    {
        var fold = new DashboardFold();
        var changes = ChangeLog.Open(files, directory, fold.Take, logger);
        return new SavedDashboards(changes, fold, semantics, time, logger);
    }

    /// <summary>There is an object store: a journal that has no record, or only a part of an earlier one's, waits for what it has.</summary>
    public void WaitForStore() => isWaiting = changes.IsEmpty || isHalfRestored;

    /// <summary>Takes over the records of earlier journals; those that are there already are passed over, so that it may be done again.</summary>
    /// <param name="records">The records, oldest first; what each views lasts until the next one.</param>
    /// <param name="cancellationToken">Gives up; nothing may be changed until it was done again.</param>
    /// <returns>How many were taken over.</returns>
    /// <exception cref="IOException">Store or disk failed.</exception>
    public async Task<int> RestoreAsync(IAsyncEnumerable<ReadOnlyMemory<byte>> records, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            var count = await AppendNewAsync(records, cancellationToken);
            var fold = new DashboardFold();
            foreach (var record in changes.Read(default))
            {
                if (ChangeRecord.TryRead(record.Payload, out var change) is null)
                {
                    fold.Take(change!);
                }
            }

            (all, isWaiting) = (fold.Read(semantics, logger), false);
            return count;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Saves a definition, new or in the place of the one that the caller has seen.</summary>
    /// <exception cref="IOException">It was not saved.</exception>
    public Task<SaveOutcome> SaveAsync(Dashboard dashboard, SaveCondition condition, Editor editor) => ChangeAsync(dashboard.Id, dashboard, condition, editor);

    /// <summary>Deletes the definition that the caller has seen.</summary>
    /// <exception cref="IOException">It was not deleted.</exception>
    public Task<SaveOutcome> DeleteAsync(string id, SaveCondition condition, Editor editor) => ChangeAsync(id, null, condition, editor);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await changes.DisposeAsync();
        gate.Dispose();
    }

    private async Task<int> AppendNewAsync(IAsyncEnumerable<ReadOnlyMemory<byte>> records, CancellationToken cancellationToken)
    {
        var known = changes.Read(default).Select(static record => Hash(record.Payload.Span)).ToHashSet();
        var count = 0;
        await foreach (var record in records.WithCancellation(cancellationToken))
        {
            if (!known.Add(Hash(record.Span)))
            {
                continue; // a later journal has those that it took over from an earlier one, too
            }

            if (!isHalfRestored)
            {
                await changes.AppendAsync(RecoveryMark(Change.RecoveryBegins)); // without its end, the next start asks again
                isHalfRestored = true;
            }

            await changes.AppendAsync(record.ToArray());
            count++;
        }

        if (isHalfRestored)
        {
            await changes.AppendAsync(RecoveryMark(Change.RecoveryEnds));
            isHalfRestored = false;
        }

        return count;
    }

    private Change RecoveryMark(string id) => new() { Kind = Change.Recovery, Id = id, At = UnixMillis.Now(time), By = "", From = "", Before = null, After = null };

    private static UInt128 Hash(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(record));

    private async Task<SaveOutcome> ChangeAsync(string id, Dashboard? next, SaveCondition condition, Editor editor)
    {
        // Not the request's token: what waits here is short, and a change is never half made.
        await gate.WaitAsync(CancellationToken.None);
        try
        {
            if (isWaiting)
            {
                throw new IOException("the object store has not said yet which dashboards were saved before the collector's disk was lost; try again when it has");
            }

            all.TryGetValue(id, out var before);
            if (Judge(before, next, condition) is { } refused)
            {
                return refused;
            }

            await changes.AppendAsync(new Change
            {
                Kind = Kind,
                Id = id,
                At = UnixMillis.Now(time),
                By = editor.By,
                From = editor.From,
                Before = before?.Toml,
                After = next?.Toml,
            });
            all = next is null ? all.Remove(id) : all.SetItem(id, next);
            if (next is null)
            {
                DashboardsLog.Deleted(logger, editor.From, id, editor.By);
                return SaveOutcome.Deleted;
            }

            DashboardsLog.Saved(logger, editor.From, id, editor.By);
            return before is null ? SaveOutcome.Created : SaveOutcome.Replaced;
        }
        finally
        {
            gate.Release();
        }
    }

    private SaveOutcome? Judge(Dashboard? before, Dashboard? next, SaveCondition condition)
    {
        if (before is null)
        {
            return next is null ? SaveOutcome.NotFound : condition.Seen.Count > 0 ? SaveOutcome.Gone : IsFull(next, 0, 1) ? SaveOutcome.Full : null;
        }

        if (condition.IsNew)
        {
            return SaveOutcome.Changed;
        }

        if (condition.Seen.Count == 0)
        {
            return SaveOutcome.Unseen;
        }

        return !condition.Seen.Contains(before.ETag) ? SaveOutcome.Changed : next is not null && IsFull(next, before.Toml.Length, 0) ? SaveOutcome.Full : null;
    }

    private bool IsFull(Dashboard next, int freed, int added) =>
        all.Count + added > CountMax || all.Values.Sum(static dashboard => (long)dashboard.Toml.Length) + next.Toml.Length - freed > SizeMax;
}

/// <summary>Who changes something.</summary>
/// <param name="By">By what right.</param>
/// <param name="From">From which address.</param>
internal readonly record struct Editor(string By, string From);

/// <summary>What must be so for a change to be made.</summary>
/// <param name="IsNew"><c>If-None-Match: *</c>: there must be none yet.</param>
/// <param name="Seen"><c>If-Match</c>: the texts, by their tags, that the caller has seen.</param>
internal sealed record SaveCondition(bool IsNew, IReadOnlyList<string> Seen);

/// <summary>What came of a change.</summary>
internal enum SaveOutcome
{
    /// <summary>There was none before.</summary>
    Created,

    /// <summary>In the place of the one that was seen.</summary>
    Replaced,

    /// <summary>It is gone.</summary>
    Deleted,

    /// <summary>There is none to delete.</summary>
    NotFound,

    /// <summary>Refused: another one is there than the caller has seen.</summary>
    Changed,

    /// <summary>Refused: the one that the caller has seen was deleted.</summary>
    Gone,

    /// <summary>Refused: there is one, and the caller does not say that he has seen it.</summary>
    Unseen,

    /// <summary>Refused: no room for more.</summary>
    Full,
}
