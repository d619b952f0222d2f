using System.Text;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>The tree of cgroups, walked for containers.</summary>
internal sealed class CgroupTree(ProcFs sys)
{
    private const string Root = "fs/cgroup";
    private const int DepthMax = 16;
    private const int FolderMax = 16_384;
    private const int PathBytesMax = 480; // with a file's name within what a label's value, and a path, may have

    private readonly Stack<(string Path, int Depth)> open = new();

    /// <summary>1, 2, or 0 where there is no tree; known after the first walk.</summary>
    public int Version { get; private set; }

    /// <summary>Finds all containers.</summary>
    /// <param name="found">Gets their paths below the hierarchy's root, with a slash at the start.</param>
    /// <returns>Folders that were not looked into, because they lie too deep or are too many.</returns>
    public int Walk(List<FoundCgroup> found)
    {
        found.Clear();
        var top = FindTop();
        if (top.Length == 0)
        {
            return 0;
        }

        var (omitted, count) = (0, 0);
        open.Clear();
        open.Push(("", 0));
        while (open.TryPop(out var folder))
        {
            if (folder.Depth > DepthMax || ++count > FolderMax || Encoding.UTF8.GetByteCount(folder.Path) > PathBytesMax)
            {
                omitted++;
                continue;
            }

            Look(top, folder.Path, folder.Depth, found);
        }

        found.Sort((one, other) => one.Bytes.AsSpan().SequenceCompareTo(other.Bytes));
        return omitted;
    }

    private string FindTop()
    {
        if (Has($"{Root}/cgroup.controllers"))
        {
            Version = 2;
            return Root;
        }

        foreach (var hierarchy in new[] { "memory", "cpuacct", "cpu,cpuacct" })
        {
            if (Has($"{Root}/{hierarchy}/cgroup.procs"))
            {
                Version = 1;
                return $"{Root}/{hierarchy}";
            }
        }

        Version = 0;
        return "";
    }

    private bool Has(string file) => sys.ReadStart(Encoding.UTF8.GetBytes(file), out _) == 0;

    private void Look(string top, string path, int depth, List<FoundCgroup> found)
    {
        if (sys.Open(Encoding.UTF8.GetBytes(top + path), out var directory) != 0)
        {
            return; // it ended meanwhile
        }

        using (directory)
        {
            while (directory.TryNextFolder(out var name))
            {
                var child = $"{path}/{Encoding.UTF8.GetString(name)}";
                if (ContainerName.TryFind(child, out var container, out var id))
                {
                    found.Add(new FoundCgroup(Encoding.UTF8.GetBytes(child), child, container, id));
                }
                else
                {
                    open.Push((child, depth + 1));
                }
            }
        }
    }
}

/// <summary>A container's cgroup.</summary>
/// <param name="Bytes">Its path below the hierarchy's root, with a slash at the start.</param>
/// <param name="Path">The same as text.</param>
/// <param name="Name">The container's name or short id.</param>
/// <param name="Id">Its whole id; empty where it has a name.</param>
internal readonly record struct FoundCgroup(byte[] Bytes, string Path, string Name, string Id);
