using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>CPU, memory, disk and process use of containers, from their cgroups: no privilege, and no socket unless one is named.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>Names are cAdvisor's; <c>id</c> is the cgroup's path, <c>name</c> the first twelve characters of the container's id, or the name where the runtime uses one.</item>
/// <item>Both cgroup versions; of version 1 the hierarchies <c>cpuacct</c>, <c>cpu</c>, <c>memory</c>, <c>pids</c> and <c>blkio</c>, as far as they are mounted.</item>
/// <item>The tree is walked for new containers every 15 seconds; what runs within one is part of it.</item>
/// <item>Where a runtime tells names, a container's series wait until it was asked for that container, so that they have their labels from the first sample on. One
/// that the runtime does not name has its short id, and changes its labels at most once: when the runtime does name it.</item>
/// </list>
/// </remarks>
/// <param name="roots">Where the host is looked at.</param>
/// <param name="names">Which containers have series, by the name that they are shown with.</param>
/// <param name="time">The clock.</param>
/// <param name="runtime">Tells names and more; null where nobody does.</param>
internal sealed class ContainersSource(HostRoots roots, NamePatterns names, TimeProvider time, IContainerRuntime? runtime = null)
    : IMetricSource, IWaitingSource, IDisposable
{
    private const int ContainerMax = 4096;

    // A tick comes some milliseconds early or late: a walk that is nearly due is not put off for a whole tick.
    private static readonly TimeSpan WalkEvery = TimeSpan.FromSeconds(15) * 0.95;

    private readonly CgroupTree tree = new(roots.Sys);
    private readonly List<FoundCgroup> found = [];
    private readonly RuntimeSeries? told = runtime is null ? null : new RuntimeSeries(runtime, names);
    private NameTable<Container>? containers;
    private int omittedByWalk;
    private long? walkedAt;

    /// <inheritdoc/>
    public string Name => "containers";

    /// <inheritdoc/>
    public TimeSpan Patience { private get; set; } = TimeSpan.MaxValue;

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        runtime?.Look(Patience);
        if (walkedAt is not { } at || time.GetElapsedTime(at) >= WalkEvery)
        {
            walkedAt = time.GetTimestamp();
            omittedByWalk = tree.Walk(found);
        }

        var series = new SeriesOut(sink) { OmittedCount = omittedByWalk };
        containers ??= new NameTable<Container>(ContainerMax, path => ContainerName.TryFind(path, out var name, out var id) ? new Container(this, path, name, id) : null);
        containers.Begin();
        foreach (var cgroup in found)
        {
            if (containers.Get(cgroup.Bytes) is { } container && !container.TryAdd(ref series))
            {
                walkedAt = null; // it ended: the next round looks again
            }
        }

        containers.End();
        series.OmittedCount += containers.OmittedCount;
        told?.Add(ref series, found);
        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        containers?.Dispose();
        runtime?.Dispose();
    }

    /// <summary>One container, once it is known under which labels it has series.</summary>
    private sealed class Container(ContainersSource of, string path, string shortName, string id) : IDisposable
    {
        private readonly long begunCount = of.Runtime?.BegunCount ?? 0;
        private CgroupContainer? cgroup;
        private bool isNamed;
        private bool hasShortName;

        /// <returns>False when it is gone.</returns>
        public bool TryAdd(ref SeriesOut series)
        {
            if (!isNamed)
            {
                FindName();
            }

            return cgroup is null || cgroup.TryAdd(ref series);
        }

        public void Dispose() => cgroup?.Dispose();

        private void FindName()
        {
            if (of.Runtime is { } runtime && id.Length > 0)
            {
                if (runtime.Containers.TryGetValue(id, out var container) && container.Name.Length > 0)
                {
                    Show(container.Name, container.Image);
                    isNamed = true;
                }
                else if (!hasShortName && runtime.EndedCount > begunCount)
                {
                    // A round that began after the container was found has ended and does not know it: another runtime's, or the socket does not answer.
                    Show(shortName, "");
                    hasShortName = true;
                }

                return;
            }

            Show(shortName, "");
            isNamed = true;
        }

        private void Show(string name, string image)
        {
            cgroup?.Dispose();
            cgroup = of.Names.Allows(name) ? new CgroupContainer(of.Roots, of.tree.Version, path, name, image) : null;
        }
    }

    private IContainerRuntime? Runtime => runtime;

    private NamePatterns Names => names;

    private HostRoots Roots => roots;
}
