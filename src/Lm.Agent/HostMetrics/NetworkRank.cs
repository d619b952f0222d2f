namespace Lm.Agent.HostMetrics;

/// <summary>Which interfaces come first when there are more than have room.</summary>
/// <remarks>
/// The order is by rank, then by the name's bytes, so the choice depends on names alone: the same interfaces have the same series at every tick,
/// after every restart. Names are what the kernel and the usual programs give; a renamed interface is taken for a physical one.
/// </remarks>
internal enum NetworkRank
{
    /// <summary>Looks physical: any other name (<c>eth0</c>, <c>enp3s0</c>, <c>wlan0</c>, <c>bond0</c>, <c>br0</c>).</summary>
    Physical = 0,

    /// <summary>Bridges and links that programs make and keep (<c>docker0</c>, <c>br-…</c>, <c>virbr0</c>, <c>wg0</c>, <c>dummy0</c>).</summary>
    Virtual = 1,

    /// <summary>Ends of containers and tunnels, which come and go (<c>veth…</c>, <c>tap0</c>, <c>tun0</c>, <c>cali…</c>).</summary>
    Passing = 2,

    /// <summary><c>lo</c>.</summary>
    Loopback = 3,
}

/// <summary>Ranks interfaces by their names.</summary>
internal static class NetworkRanks
{
    /// <summary>The rank of an interface.</summary>
    /// <param name="name">Its name.</param>
    public static NetworkRank Of(ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("lo"u8))
        {
            return NetworkRank.Loopback;
        }

        if (name.StartsWith("veth"u8) || name.StartsWith("tap"u8) || name.StartsWith("tun"u8) || name.StartsWith("cali"u8)
            || name.StartsWith("vnet"u8) || name.StartsWith("lxc"u8) || name.StartsWith("fwpr"u8) || name.StartsWith("fwln"u8))
        {
            return NetworkRank.Passing;
        }

        var isVirtual = name.StartsWith("br-"u8) || name.StartsWith("docker"u8) || name.StartsWith("virbr"u8) || name.StartsWith("wg"u8)
            || name.StartsWith("dummy"u8) || name.StartsWith("ifb"u8) || name.StartsWith("cni"u8) || name.StartsWith("flannel"u8)
            || name.StartsWith("kube-"u8) || name.StartsWith("vxlan"u8) || name.StartsWith("sit"u8) || name.StartsWith("gre"u8)
            || name.StartsWith("ip6tnl"u8) || name.StartsWith("nlmon"u8) || name.StartsWith("podman"u8);
        return isVirtual ? NetworkRank.Virtual : NetworkRank.Physical;
    }
}
