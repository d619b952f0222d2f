using System.Globalization;
using Lm.ObjectStore;
using Lm.Platform;

namespace Lm.Collector.Landing;

/// <summary>Deletes log files that are older than <c>retention_days</c> from the store: whole days, each index before its file, since it vouches for it.</summary>
/// <param name="store">The store.</param>
/// <param name="keys">Makes keys.</param>
/// <param name="metrics">Counts.</param>
/// <param name="logger">The log.</param>
internal sealed class LogTidy(IObjectStore store, ObjectKeys keys, LandingMetrics metrics, ILogger logger)
{
    private const string DatePrefix = "date=";
    private const string IndexEnding = ".idx";
    private const char BehindSlash = '0'; // what follows the slash in ASCII: every key of the day's folder comes before it

    /// <summary>Deletes the days that were over before a time.</summary>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public async Task RunAsync(UnixMillis before, CancellationToken cancellationToken)
    {
        var after = "";
        while (await FirstDateAsync(after, cancellationToken) is { } date)
        {
            after = keys.LogFolder + date + BehindSlash; // also where something of others' stays there
            if (EndOf(date) is not { } end)
            {
                continue;
            }

            if (end > before)
            {
                return;
            }

            var found = new List<string>();
            await foreach (var key in StoreLists.KeysAsync(store, keys.LogDate(date), cancellationToken))
            {
                found.Add(key);
            }

            foreach (var key in found.OrderBy(static key => !key.EndsWith(IndexEnding, StringComparison.Ordinal)))
            {
                await store.DeleteAsync(key, cancellationToken);
            }

            metrics.LogFilesDeleted(found.Count(static key => key.EndsWith(IndexEnding, StringComparison.Ordinal)));
            LandingLog.LogsDeleted(logger, date, found.Count);
        }
    }

    // Days sort as their names do: the first is the oldest.
    private async Task<string?> FirstDateAsync(string after, CancellationToken cancellationToken)
    {
        var page = await store.ListAsync(keys.LogFolder + DatePrefix, after, 1, cancellationToken);
        return page.Objects.Count == 0 ? null : page.Objects[0].Key[keys.LogFolder.Length..].Split('/')[0];
    }

    private static UnixMillis? EndOf(string date) =>
        DateTime.TryParseExact(date.AsSpan(DatePrefix.Length), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var day)
            ? new UnixMillis(new DateTimeOffset(day.AddDays(1)).ToUnixTimeMilliseconds())
            : null;
}
