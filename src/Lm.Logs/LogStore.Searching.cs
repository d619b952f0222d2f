using Lm.Logs.Files;
using Lm.Logs.Search;
using Lm.Logs.Store;
using Lm.Platform.Files;

namespace Lm.Logs;

/// <content>What searches read: open files, sealed ones here and elsewhere.</content>
public sealed partial class LogStore
{
    /// <inheritdoc/>
    public void EachStream(long from, long until, Action<LogStream> look, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(look);
        List<LogStream> found;
        lock (gate)
        {
            found = [.. AllOpen().SelectMany(file => file.StreamsIn(from, until))];
        }

        // Who looks takes its time: lines are added meanwhile.
        found.ForEach(look);
        EachIndex(from, until, index => index.StreamsIn(from, until).ForEach(look), cancellationToken);
    }

    /// <inheritdoc/>
    public LogExtent Measure(long from, long until, Func<LogStream, bool> stream, CancellationToken cancellationToken)
    {
        var extent = default(LogExtent);
        lock (gate)
        {
            foreach (var file in AllOpen())
            {
                extent += file.Measure(from, until, stream);
            }
        }

        EachIndex(from, until, index => extent += index.Measure(from, until, stream), cancellationToken);
        return extent;
    }

    /// <inheritdoc/>
    public IEnumerable<T> Read<T>(LogScan scan, Func<ILineStage<T>> stages, LogScanStatistics statistics, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(scan);
        ArgumentNullException.ThrowIfNull(stages);
        ArgumentNullException.ThrowIfNull(statistics);
        return Search(scan, stages, statistics, cancellationToken);
    }

    // Those of sealed files that may have lines in a range.
    private void EachIndex(long from, long until, Action<FileIndex> look, CancellationToken cancellationToken)
    {
        var local = Files;
        EachIndex(local.Where(file => file.MaxTime >= from && file.MinTime < until), files, indexes, look, cancellationToken);
        if (options.Elsewhere is { } elsewhere)
        {
            EachIndex(elsewhere.Take(from, until, local), elsewhere.Files, indexesElsewhere!, look, cancellationToken);
        }
    }

    private static void EachIndex(IEnumerable<StoredLogFile> of, IFileSystem by, IndexCache indexes, Action<FileIndex> look, CancellationToken cancellationToken)
    {
        foreach (var file in of)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                using var handle = by.Open(file.Path, writable: false);
                look(indexes.Of(file, handle));
            }
            catch (FileSystemException e) when (e.IsNotFound)
            {
                // Retention was faster.
            }
        }
    }

    private List<ISearchFile> Sealed(LogScan scan)
    {
        var local = Files;
        List<ISearchFile> found = [.. local.Select(file => new SealedFile(files, file, indexes))];
        if (options.Elsewhere is { } elsewhere)
        {
            found.AddRange(elsewhere.Take(scan.From, scan.Until, local).Select(file => new SealedFile(elsewhere.Files, file, indexesElsewhere!)));
        }

        return found;
    }

    private IEnumerable<T> Search<T>(LogScan scan, Func<ILineStage<T>> stages, LogScanStatistics statistics, CancellationToken cancellationToken)
    {
        var views = Views(scan);
        try
        {
            IReadOnlyList<ISearchFile> all = [.. views, .. Sealed(scan)];
            foreach (var each in new LogSearch<T>(all, scan, stages, statistics, options.SearchBytesMax, cancellationToken).Run())
            {
                yield return each;
            }
        }
        finally
        {
            views.ForEach(static view => view.Dispose());
            CountSearch(statistics);
        }
    }

    // Those of open files come first, and under the lock: what is sealed meanwhile is then in both, and found once.
    private List<OpenFileView> Views(LogScan scan)
    {
        var views = new List<OpenFileView>();
        lock (gate)
        {
            try
            {
                foreach (var file in AllOpen())
                {
                    if (file.MaxTime >= scan.From && file.MinTime < scan.Until)
                    {
                        views.Add(file.View());
                    }
                }
            }
            catch
            {
                views.ForEach(static view => view.Dispose());
                throw;
            }
        }

        return views;
    }
}
