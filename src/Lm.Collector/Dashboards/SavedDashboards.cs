using System.Collections.Immutable;
using System.Text;
using Lm.Collector.Changes;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.PromQL;
using Lm.Toml;

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
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly SemaphoreSlim gate = new(1, 1); // one change at a time: each is judged by what is there
    private volatile ImmutableSortedDictionary<string, Dashboard> all;

    private SavedDashboards(ChangeLog changes, ImmutableSortedDictionary<string, Dashboard> all, TimeProvider time, ILogger logger) =>
        (this.changes, this.all, this.time, this.logger) = (changes, all, time, logger);

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
        var texts = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var changes = ChangeLog.Open(files, directory, Fold, logger);
        var all = ImmutableSortedDictionary.CreateBuilder<string, Dashboard>(StringComparer.Ordinal);
        foreach (var (id, text) in texts)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            var document = TomlDocument.Parse(bytes, id);
            if (DashboardReader.Read(document, bytes, DashboardOrigin.Console, semantics) is { } dashboard)
            {
                all.Add(id, dashboard);
            }
            else
            {
                DashboardsLog.NotTaken(logger, id, document.Faults.All[0].ToString());
            }
        }

        return new SavedDashboards(changes, all.ToImmutable(), time, logger);

        void Fold(Change change)
        {
            if (change.Kind != Kind)
            {
                return; // kinds of later versions
            }

            if (change.After is { } text)
            {
                texts[change.Id] = text;
            }
            else
            {
                texts.Remove(change.Id);
            }
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

    private async Task<SaveOutcome> ChangeAsync(string id, Dashboard? next, SaveCondition condition, Editor editor)
    {
        // Not the request's token: what waits here is short, and a change is never half made.
        await gate.WaitAsync(CancellationToken.None);
        try
        {
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
