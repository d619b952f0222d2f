using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>CPU, memory, disk and process use of containers, from their cgroups: no socket, no privilege.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>Names are cAdvisor's; <c>id</c> is the cgroup's path, <c>name</c> the first twelve characters of the container's id, or the name where the runtime uses one.</item>
/// <item>Both cgroup versions; of version 1 the hierarchies <c>cpuacct</c>, <c>cpu</c>, <c>memory</c>, <c>pids</c> and <c>blkio</c>, as far as they are mounted.</item>
/// <item>The tree is walked for new containers every 15 seconds; what runs within one is part of it.</item>
/// </list>
/// </remarks>
internal sealed class ContainersSource : IMetricSource, IDisposable
{
    private const int ContainerMax = 4096;

    private static readonly TimeSpan WalkEvery = TimeSpan.FromSeconds(15);

    private readonly TimeProvider time;
    private readonly CgroupTree tree;
    private readonly List<(byte[] Path, string Name)> found = [];
    private readonly NameTable<CgroupContainer> containers;
    private int omittedByWalk;
    private long? walkedAt;

    public ContainersSource(HostRoots roots, NamePatterns names, TimeProvider time)
    {
        this.time = time;
        tree = new CgroupTree(roots.Sys);
        containers = new NameTable<CgroupContainer>(ContainerMax, path =>
            ContainerName.TryFind(path, out var name) && names.Allows(name) ? new CgroupContainer(roots, tree.Version, path, name) : null);
    }

    /// <inheritdoc/>
    public string Name => "containers";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        if (walkedAt is not { } at || time.GetElapsedTime(at) >= WalkEvery)
        {
            walkedAt = time.GetTimestamp();
            omittedByWalk = tree.Walk(found);
        }

        var series = new SeriesOut(sink) { OmittedCount = omittedByWalk };
        containers.Begin();
        foreach (var (path, _) in found)
        {
            if (containers.Get(path) is { } container && !container.TryAdd(ref series))
            {
                walkedAt = null; // it ended: the next round looks again
            }
        }

        containers.End();
        series.OmittedCount += containers.OmittedCount;
        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose() => containers.Dispose();
}
