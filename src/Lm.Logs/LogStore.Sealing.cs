using System.Diagnostics;
using Lm.Logs.Sealing;
using Lm.Logs.Store;
using Lm.Platform;

namespace Lm.Logs;

/// <content>Open files become sealed ones, and sealed ones go.</content>
public sealed partial class LogStore
{
    private string? sealingFolder; // guarded by gate; where a file is being sealed to: it is not deleted for being empty

    /// <summary>Seals one file that is complete and that a checkpoint covers, the oldest first.</summary>
    /// <param name="failed">Numbers of files that are passed over; one that cannot be sealed is added, so that it holds up nobody else.</param>
    /// <param name="stopping">Ends it; nothing is half done then.</param>
    /// <param name="sealedFile">What became of it; null when there was none, or none of its lines could be read.</param>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="IOException">It could not be sealed, and stays as it is.</exception>
    public bool SealNext(ISet<uint> failed, CancellationToken stopping, out StoredLogFile? sealedFile)
    {
        ArgumentNullException.ThrowIfNull(failed);
        sealedFile = null;
        OpenFile? source = null;
        OpenFileView? view = null;
        try
        {
            SealJob job;
            lock (keeping)
            {
                lock (gate)
                {
                    source = frozen.FirstOrDefault(file => durable.Contains(file.Number) && !failed.Contains(file.Number));
                    if (source is null)
                    {
                        return false;
                    }

                    view = source.View();
                    job = new SealJob(ids.Next(), source.Window, source.Number, options.Incarnation, CoveredBy(source), options.SealLevel, options.SealBytesMax);
                    sealingFolder = Path.Combine(options.Directory, source.Window.Folder);
                }
            }

            sealedFile = LogSealer.Seal(files, options.Directory, view, job, stopping, out var damaged);
            Interlocked.Add(ref framesDamaged, damaged);
            if (sealedFile is null && damaged == 0 && source.Lines > 0)
            {
                throw new UnreachableException($"{source.Path} has {source.Lines} lines, and sealing found none");
            }

            Replace(source, sealedFile, damaged > 0);
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException && source is not null)
        {
            failed.Add(source.Number);
            Interlocked.Increment(ref failures);
            throw;
        }
        finally
        {
            view?.Dispose();
            lock (gate)
            {
                sealingFolder = null;
            }
        }
    }

    /// <summary>Deletes sealed files. Searches that read them go on.</summary>
    /// <exception cref="IOException">They are out of the store, but not all deleted: the next start brings those back.</exception>
    public void Delete(IReadOnlyCollection<StoredLogFile> gone)
    {
        ArgumentNullException.ThrowIfNull(gone);
        lock (gate)
        {
            Volatile.Write(ref closed, [.. closed.Where(file => !gone.Contains(file))]);
        }

        foreach (var file in gone)
        {
            indexes.Forget(file.Id);
            var folder = Path.GetDirectoryName(file.Path)!;
            files.Delete(file.Path);
            files.Delete(file.IndexPath);
            files.SyncDirectory(folder);
            DeleteEmpty(folder);
        }
    }

    // What another file of the window has is not in this one: the last of them speaks for all. Where something of the window is missing, none does.
    private CommitPosition CoveredBy(OpenFile source) =>
        source.Window.Start < doubtedUntil || AllOpen().Any(other => other != source && other.Window == source.Window) ? CommitPosition.Start : manifest.Covered;

    private void Replace(OpenFile source, StoredLogFile? by, bool isDamaged)
    {
        if (isDamaged)
        {
            Doubt(); // what a further file of the window says would hold for this one, too
            Interlocked.Increment(ref filesDamaged); // first: whoever sees that the file is sealed also sees that something is missing
        }

        lock (keeping)
        {
            lock (gate)
            {
                if (by is not null)
                {
                    Volatile.Write(ref closed, [.. closed, by]);
                    filesSealed++;
                }

                frozen.Remove(source);
                durable.Remove(source.Number);
                source.Dispose();
                CountMemory();
            }

            Publish(manifest with { DoubtedUntil = DoubtedUntil, Open = [.. manifest.Open.Where(entry => entry.Number != source.Number)] });
            if (isDamaged)
            {
                files.Rename(source.Path, source.Path + LogPaths.DamagedEnding); // for who knows how to get more out of it
            }
        }

        DeleteOpen(source.Path);
    }

    // What stays for a fault of the disk goes at the next opening: the manifest does not know it.
    private void DeleteOpen(string path)
    {
        try
        {
            files.Delete(path);
            files.Delete(OpenFile.IndexPathOf(path));
        }
        catch (IOException)
        {
            Interlocked.Increment(ref failures);
        }
    }

    private void DeleteEmpty(string folder)
    {
        lock (gate)
        {
            for (var i = 0; i < 2; i++, folder = Path.GetDirectoryName(folder)!)
            {
                var isWanted = sealingFolder is { } wanted && (wanted == folder || wanted.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal));
                if (isWanted || files.List(folder).Count > 0 || files.ListDirectories(folder).Count > 0)
                {
                    return;
                }

                files.DeleteDirectory(folder);
            }
        }
    }
}
