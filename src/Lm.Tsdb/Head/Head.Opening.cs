using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Tsdb.Head;

/// <content>Opening: what the files hold comes back, what no manifest names goes, what is damaged is set aside.</content>
public sealed partial class Head
{
    // In memory from the start: those that live samples come for. The others come back with their first sample.
    private const int WindowsLoaded = 2;

    private const string DamagedSuffix = ".damaged";

    private static readonly string[] Kinds = [".chunks", ".open", ".series"];

    private IDisposable? directoryLock;
    private int filesSetAside; // that lie in the folder, of earlier runs, too

    /// <summary>Opens the head in a folder, with what its files hold; the log's replay comes next.</summary>
    /// <exception cref="FileSystemException">The folder or a file cannot be read or written, or another process has it.</exception>
    /// <exception cref="InvalidDataException">A newer program has written the files.</exception>
    public static Head Open(IFileSystem files, HeadOptions options, out HeadOpening opening)
    {
        files.CreateDirectory(options.Directory);
        var held = files.TryLock(options.Directory)
            ?? throw new FileSystemException("lock", options.Directory, 11, "another process has this head open");
        var head = new Head(files, options);
        var isOpen = false;
        try
        {
            // What a rename of the last run showed may not be durable yet, and files that only the manifest before it names go below.
            files.SyncDirectory(options.Directory);
            var damage = new List<string>();
            var manifest = HeadManifest.Read(files, options.Directory, out var fault);
            if (manifest is not null && head.LoadSeries(manifest) is { } faultOfSeries)
            {
                (manifest, fault) = (null, faultOfSeries);
                head.Dispose();
                head = new Head(files, options);
            }

            if (fault.Length > 0)
            {
                damage.Add($"{fault}; all files of the head were set aside as *.damaged, and the spool is replayed from its beginning");
                head.SetAsideAll();
            }
            else if (manifest is not null)
            {
                head.LoadWindows(manifest, damage);
            }

            head.DeleteLeftovers(manifest);
            head.filesSetAside = files.List(options.Directory).Count(static name => name.EndsWith(DamagedSuffix, StringComparison.Ordinal));
            var isWhole = damage.Count == 0 && manifest?.Incarnation == options.Incarnation;
            head.Covered = isWhole ? manifest!.Covered : CommitPosition.Start;
            head.directoryLock = held;
            opening = new HeadOpening { ReplayFrom = head.Covered, Windows = head.windows.Length, Series = head.table.Count, Damage = damage };
            isOpen = true;
            return head;
        }
        finally
        {
            if (!isOpen)
            {
                head.Dispose();
                held.Dispose();
            }
        }
    }

    private string? LoadSeries(HeadManifest manifest)
    {
        nextNumber = manifest.NextNumber;
        newestWindow = nextNumber - 1;
        var damage = manifest.SeriesNumber == 0 ? null : seriesFile.Load(manifest.SeriesNumber, SeriesPath(manifest.SeriesNumber), manifest.SeriesLength);
        if (damage is null && table.Limit > 0)
        {
            // Which window has which series is not known without reading all: each may have each.
            MakeRoomFor(table.Limit - 1);
            touched.AsSpan(0, table.Limit).Fill((int)newestWindow);
        }

        return damage;
    }

    private void LoadWindows(HeadManifest manifest, List<string> damage)
    {
        lateBlocks.AddRange(manifest.LateBlocks);
        foreach (var entry in manifest.Windows)
        {
            if (OpenWindow(entry, out var fault) is { } window)
            {
                Insert(window);
                if (window.Identity.Width == width)
                {
                    active[window.Start] = window; // by number ascending: of two for one time the later one takes samples
                }
            }
            else
            {
                SetAsideWindow(entry, fault, damage);
            }
        }

        foreach (var window in windows.AsSpan(Math.Max(0, windows.Length - WindowsLoaded)).ToArray())
        {
            var memory = window.Spilled!.Load(table.Limit, out var fault);
            if (memory is null)
            {
                SetAsideDamaged(manifest, window, fault, damage);
                continue;
            }

            window.Memory = memory;
            window.Spilled.Release();
            window.Spilled = null;
        }
    }

    private void SetAsideDamaged(HeadManifest manifest, HeadWindow window, string fault, List<string> damage)
    {
        Close(window);
        windows = Array.FindAll(windows, other => other != window);
        active.Remove(window.Start);
        SetAsideWindow(manifest.Windows.First(entry => entry.Identity == window.Identity), fault, damage);
    }

    private HeadWindow? OpenWindow(in HeadManifest.Window entry, out string fault)
    {
        var log = ChunkLog.Open(files, LogPath(entry.Identity.Number), pages, entry.Identity, entry.LogLength, out fault);
        if (log is null)
        {
            return null;
        }

        var state = WindowState.Open(files, StatePath(entry.State.Number), entry.Identity, entry.State.Length, out fault);
        if (state is null)
        {
            log.Dispose();
            return null;
        }

        return new HeadWindow(entry.Identity, log, entry.IsLate, entry.FirstReceived) { Spilled = state, State = entry.State, Samples = entry.Samples };
    }

    private void SetAsideWindow(in HeadManifest.Window entry, string fault, List<string> damage)
    {
        SetAside(LogPath(entry.Identity.Number));
        SetAside(StatePath(entry.State.Number));
        var start = DateTimeOffset.FromUnixTimeMilliseconds(entry.Identity.Start);
        damage.Add($"{fault}; the {entry.Samples} samples of the window from {start:u} were set aside as *.damaged, and the spool is replayed from its beginning");
    }

    private void SetAsideAll()
    {
        foreach (var name in files.List(options.Directory))
        {
            if (name == HeadManifest.FileName || Kinds.Contains(Path.GetExtension(name), StringComparer.Ordinal))
            {
                SetAside(Path.Combine(options.Directory, name));
            }
        }

        files.SyncDirectory(options.Directory);
    }

    private void SetAside(string path)
    {
        if (!files.Exists(path))
        {
            return;
        }

        var target = path + DamagedSuffix;
        for (var i = 2; files.Exists(target); i++)
        {
            target = $"{path}.{i}{DamagedSuffix}";
        }

        files.Rename(path, target);
        lock (gate)
        {
            filesSetAside++;
        }
    }

    private void DeleteLeftovers(HeadManifest? manifest)
    {
        var kept = new HashSet<string>(StringComparer.Ordinal);
        if (manifest is not null)
        {
            kept.Add(SeriesPath(manifest.SeriesNumber));
            foreach (var window in manifest.Windows)
            {
                kept.Add(LogPath(window.Identity.Number));
                kept.Add(StatePath(window.State.Number));
            }
        }

        foreach (var name in files.List(options.Directory))
        {
            var path = Path.Combine(options.Directory, name);
            if ((Kinds.Contains(Path.GetExtension(name), StringComparer.Ordinal) && !kept.Contains(path)) || name == HeadManifest.FileName + ".tmp")
            {
                files.Delete(path);
            }
        }
    }
}
