using System.Globalization;
using Lm.Logs.Files;
using Lm.Logs.Store;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Logs;

/// <content>What is done when it is opened.</content>
public sealed partial class LogStore
{
    private LogStore(IFileSystem files, LogStoreOptions options)
    {
        (this.files, this.options) = (files, options);
        ids = new UlidSource(options.Time);
        indexes = new IndexCache(files, options.IndexBytesMax);
        indexesElsewhere = options.Elsewhere is { } elsewhere ? new IndexCache(elsewhere.Files, options.IndexBytesMax) : null;
        closed = [];
        nextNumber = 1;
        manifest = new LogManifest { Incarnation = options.Incarnation, Covered = CommitPosition.Start, NextNumber = 1, Open = [] };
    }

    /// <summary>Opens the store in a folder, or begins one there.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="options">How it works.</param>
    /// <param name="opening">What was found.</param>
    /// <exception cref="IOException">The folder cannot be read or written.</exception>
    /// <exception cref="InvalidDataException">A newer program wrote it.</exception>
    public static LogStore Open(IFileSystem files, LogStoreOptions options, out LogStoreOpening opening)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(options);
        var store = new LogStore(files, options);
        try
        {
            opening = store.Open();
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    private LogStoreOpening Open()
    {
        var damage = new List<string>();
        files.CreateDirectory(OpenFolder);
        OpenSealed(damage);
        var read = LogManifest.Read(files, ManifestPath, out var fault);
        var isNew = read is null && fault is null;
        if (isNew && files.List(OpenFolder).Any(static name => name.EndsWith(LogPaths.DataEnding, StringComparison.Ordinal)))
        {
            (isNew, fault) = (false, $"{ManifestPath} is gone, and there are open files"); // one was there before the first of them
        }

        var isWhole = fault is null;
        if (fault is not null)
        {
            damage.Add($"{fault}; every open file is read through, and the spool from its beginning");
        }

        nextNumber = Math.Max(nextNumber, read?.NextNumber ?? 1);
        var entries = fault is null ? read?.Open ?? [] : FoundOpen();
        doubtedUntil = read?.DoubtedUntil ?? 0;
        foreach (var entry in entries)
        {
            isWhole &= RestoreOpen(entry, damage);
        }

        if (damage.Count > 0)
        {
            Doubt(); // the spool may have let go of what was damaged
        }

        if (fault is null)
        {
            DeleteUnknown();
        }

        // Another spool's positions say nothing about this one's; its lines stay.
        var covered = isWhole && read is not null && read.Incarnation == options.Incarnation ? read.Covered : CommitPosition.Start;
        manifest = new LogManifest
        {
            Incarnation = options.Incarnation,
            Covered = covered,
            NextNumber = nextNumber,
            Open = [.. entries.Where(entry => AllOpen().Any(file => file.Number == entry.Number))],
            DoubtedUntil = doubtedUntil,
        };
        IsDirty |= damage.Count > 0;
        filesDamaged = damage.Count;
        CountMemory();
        if (isNew)
        {
            Publish(manifest); // from now on, none is damage
        }

        return new LogStoreOpening { ReplayFrom = covered, OpenFiles = open.Count + frozen.Count, SealedFiles = closed.Count, Damage = damage, IsNew = isNew };
    }

    private void OpenSealed(List<string> damage)
    {
        var found = new List<StoredLogFile>();
        foreach (var (folder, window) in LogPaths.SealedFolders(files, options.Directory).ToArray())
        {
            var names = files.List(folder).ToHashSet(StringComparer.Ordinal);
            foreach (var name in names)
            {
                var path = Path.Combine(folder, name);
                if (name.EndsWith(LogPaths.TemporaryEnding, StringComparison.Ordinal))
                {
                    files.Delete(path);
                }
                else if (name.EndsWith(LogPaths.DataEnding, StringComparison.Ordinal) && Ulid.TryParse(name.AsSpan(0, name.Length - LogPaths.DataEnding.Length), out var id))
                {
                    ids.Saw(id);
                    found.Add(OpenSealed(path, id, window, damage));
                }
                else if (name.EndsWith(LogPaths.IndexEnding, StringComparison.Ordinal) && !names.Contains(name[..^LogPaths.IndexEnding.Length] + LogPaths.DataEnding))
                {
                    files.Delete(path); // the file was never complete, or is deleted
                }
            }
        }

        // A file that was sealed twice (its name could not be synced, nor deleted) counts once: the older.
        var twice = found.Where(file => file.Source != 0).GroupBy(static file => file.Source).SelectMany(static same => same.OrderBy(file => file.Id).Skip(1)).ToHashSet();
        foreach (var file in twice)
        {
            files.Delete(file.Path);
            files.Delete(file.IndexPath);
        }

        closed = [.. found.Where(file => !twice.Contains(file))];
        nextNumber = closed.Select(static file => file.Source + 1).Append(nextNumber).Max();
    }

    private StoredLogFile OpenSealed(string path, Ulid id, LogWindow window, List<string> damage)
    {
        using var handle = files.Open(path, writable: false);
        var indexPath = OpenFile.IndexPathOf(path);
        var length = handle.Length;
        var bytes = new byte[LogFooter.Size];
        var count = handle.Read(Math.Max(0, length - bytes.Length), bytes);
        var fault = LogFooter.Read(bytes.AsSpan(0, count), out var footer);
        var file = new StoredLogFile
        {
            Id = id,
            Window = footer?.Window ?? window,
            Path = path,
            IndexPath = indexPath,
            FileBytes = length,
            IndexBytes = SizeOf(indexPath),
            Lines = footer?.Lines ?? 0,
            BodyBytes = footer?.BodyBytes ?? 0,
            MinTime = footer?.MinTime ?? window.Start,
            MaxTime = footer?.MaxTime ?? (window.End - 1),
            Source = footer?.Source ?? 0,
        };
        if (fault is null)
        {
            return file;
        }

        damage.Add($"{path}: {fault}; its lines are read all the same");
        var index = FileSurvey.Run(handle, length, out var bodyBytes, out _).Index;
        return file with { Lines = index.Frames.Sum(static frame => (long)frame.Lines), BodyBytes = bodyBytes };
    }

    private long SizeOf(string path)
    {
        try
        {
            using var handle = files.Open(path, writable: false);
            return handle.Length;
        }
        catch (FileSystemException e) when (e.IsNotFound)
        {
            return 0; // it is made anew when it is needed
        }
    }

    // Without a manifest, what the files' names say: all that can be read of each counts.
    private List<LogManifest.Entry> FoundOpen()
    {
        var found = new List<LogManifest.Entry>();
        foreach (var name in files.List(OpenFolder))
        {
            var parts = name.EndsWith(LogPaths.DataEnding, StringComparison.Ordinal) ? name[..^LogPaths.DataEnding.Length].Split('_') : [];
            if (parts.Length == 3 && uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && LogWindow.TryParse(parts[1], parts[2], out var window))
            {
                files.Delete(OpenFile.IndexPathOf(Path.Combine(OpenFolder, name)));
                using var handle = files.Open(Path.Combine(OpenFolder, name), writable: false);
                found.Add(new LogManifest.Entry
                {
                    Number = number,
                    Window = window,
                    IsFrozen = true,
                    Length = handle.Length,
                    IndexLength = 0,
                    FirstReceived = UnixMillis.Now(options.Time).Value,
                    Lines = 0,
                    BodyBytes = 0,
                });
                nextNumber = Math.Max(nextNumber, number + 1);
            }
        }

        return found;
    }

    // False: what it should have and has not must come from the spool.
    private bool RestoreOpen(LogManifest.Entry entry, List<string> damage)
    {
        if (closed.FirstOrDefault(file => file.Source == entry.Number) is { } made)
        {
            if (made.Lines < entry.Lines)
            {
                Doubt(); // some could not be read when it was sealed
            }

            DeleteOpen(OpenFile.PathOf(OpenFolder, entry.Number, entry.Window));
            return true; // sealed just before a crash
        }

        if (!files.Exists(OpenFile.PathOf(OpenFolder, entry.Number, entry.Window)))
        {
            damage.Add($"{OpenFile.PathOf(OpenFolder, entry.Number, entry.Window)} is gone; the manifest has it");
            return false;
        }

        var file = OpenFile.Restore(files, OpenFolder, entry, out var fault);
        if (fault is not null)
        {
            damage.Add(fault);
        }

        if (file.Lines == 0 || file.IsFrozen || open.ContainsKey(file.Window))
        {
            frozen.Add(file);
            file.FreezeRestored();
        }
        else
        {
            open.Add(file.Window, file);
        }

        if (fault is null && file.IsFrozen && entry.IsFrozen)
        {
            durable.Add(file.Number);
        }

        return fault is null;
    }

    private void DeleteUnknown()
    {
        var known = AllOpen().SelectMany(static file => (string[])[file.Path, file.IndexPath]).ToHashSet(StringComparer.Ordinal);
        foreach (var name in files.List(OpenFolder))
        {
            var path = Path.Combine(OpenFolder, name);
            if (!known.Contains(path) && !name.EndsWith(LogPaths.DamagedEnding, StringComparison.Ordinal))
            {
                files.Delete(path);
            }
        }
    }
}
