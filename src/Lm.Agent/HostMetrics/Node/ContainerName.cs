namespace Lm.Agent.HostMetrics.Node;

/// <summary>Which cgroups are containers, told by their paths.</summary>
/// <remarks>
/// <c>…/docker/ID</c>, <c>…/docker-ID.scope</c>, <c>libpod-ID.scope</c>, <c>cri-containerd-ID.scope</c>, <c>crio-ID.scope</c>, <c>kubepods/…/ID</c> with an id
/// of 64 hexadecimal digits; <c>lxc/NAME</c> and <c>lxc.payload.NAME</c>; <c>machine.slice/systemd-nspawn@NAME.service</c>.
/// Podman's <c>libpod-conmon-ID.scope</c> and CRI-O's <c>crio-conmon-ID.scope</c> are the containers' keepers, and none.
/// </remarks>
internal static class ContainerName
{
    /// <summary>Characters of a short id, as the runtimes' own lists show them.</summary>
    public const int ShortIdChars = 12;

    private const int IdChars = 64;

    /// <summary>Whether a cgroup is a container.</summary>
    /// <param name="path">Its path below the hierarchy's root, with a slash at its start.</param>
    /// <param name="name">The container's name or short id.</param>
    /// <param name="id">Its whole id; empty where it has a name.</param>
    public static bool TryFind(string path, out string name, out string id)
    {
        id = "";
        var parts = path.Split('/');
        var last = parts[^1];
        var parent = parts.Length > 1 ? parts[^2] : "";
        const string LxcPayload = "lxc.payload.";
        const string Nspawn = "systemd-nspawn@";
        const string Service = ".service";
        name = last switch
        {
            _ when last.StartsWith(LxcPayload, StringComparison.Ordinal) => last[LxcPayload.Length..],
            _ when parent == "lxc" => last,
            _ when last.StartsWith(Nspawn, StringComparison.Ordinal) && last.EndsWith(Service, StringComparison.Ordinal) => last[Nspawn.Length..^Service.Length],
            _ => id = IdOf(last),
        };
        name = id.Length > 0 ? id[..ShortIdChars] : name;
        return name.Length > 0;
    }

    private static string IdOf(string last)
    {
        const string Scope = ".scope";
        var id = last.EndsWith(Scope, StringComparison.Ordinal) ? last[..^Scope.Length] : last;
        var dash = id.LastIndexOf('-');
        var isKeeper = dash > 0 && id[..dash].EndsWith("conmon", StringComparison.Ordinal);
        id = id[(dash + 1)..];
        return id.Length == IdChars && !isKeeper && id.All(char.IsAsciiHexDigitLower) ? id : "";
    }
}
