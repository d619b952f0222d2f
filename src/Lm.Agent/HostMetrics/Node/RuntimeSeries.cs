using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>What only a container's runtime can tell: how often it was started again, and its health; and how the runtime's socket fares.</summary>
/// <remarks>
/// A container that waits for its next start has no cgroup, and still counts: all that the runtime lists have series. <c>id</c> is the cgroup's path, as the
/// container's other series have it, from the time that it was first seen.
/// </remarks>
internal sealed class RuntimeSeries(IContainerRuntime runtime, NamePatterns names)
{
    private static readonly MetricDescriptor Up = Metric.Gauge("lmagent_container_runtime_up", "",
        "1 when the container runtime's socket gave a whole answer when it was asked last, else 0.");

    private static readonly MetricDescriptor Failures = Metric.Counter("lmagent_container_runtime_failures_total", "",
        "Times that the container runtime's socket gave no whole answer, since the settings were read.");

    private static readonly MetricDescriptor Restarts = Metric.Counter("container_restarts_total", "",
        "Times that the runtime has started a container again since it was made.");

    private static readonly MetricDescriptor Health = Metric.Gauge("container_health_state", "",
        "1 when a container's health check says that it is healthy, 0 when not or not yet, -1 when it has no check.");

    private readonly Dictionary<string, Known> known = new(StringComparer.Ordinal);
    private readonly HashSet<(string Name, string Image)> shown = []; // of this round, without a cgroup
    private long round;

    /// <summary>Adds the series.</summary>
    /// <param name="series">Where they go.</param>
    /// <param name="cgroups">Those that are there.</param>
    public void Add(ref SeriesOut series, List<FoundCgroup> cgroups)
    {
        series.Add(Failures, runtime.FailureCount);
        series.Add(Up, runtime.IsUp ? 1 : 0);
        series.OmittedCount += runtime.OmittedCount;
        round++;
        Take(cgroups);
        if (!runtime.IsUp)
        {
            return; // what was true once is not said again
        }

        shown.Clear();
        foreach (var container in runtime.Containers.Values)
        {
            var labels = known[container.Id].Labels;
            if (labels.Length == 0 || container.RestartCount is not { } restarts || container.Health is not { } health)
            {
                continue;
            }

            // Two of the same name cannot be: where a runtime says so, without cgroups nothing tells them apart.
            if (known[container.Id].Path.Length == 0 && !shown.Add((container.Name, container.Image)))
            {
                series.OmittedCount++;
                continue;
            }

            series.Add(Restarts, labels, restarts);
            series.Add(Health, labels, (double)health);
        }
    }

    private void Take(List<FoundCgroup> cgroups)
    {
        var isOneWithoutPath = false;
        foreach (var container in runtime.Containers.Values)
        {
            if (!known.TryGetValue(container.Id, out var of))
            {
                known.Add(container.Id, of = new Known { Labels = LabelsOf(container, "") });
            }

            of.Round = round;
            isOneWithoutPath |= of.Path.Length == 0;
        }

        if (isOneWithoutPath)
        {
            FindPaths(cgroups);
        }

        if (known.Count == runtime.Containers.Count)
        {
            return;
        }

        foreach (var (id, of) in known)
        {
            if (of.Round != round)
            {
                known.Remove(id); // allowed while it is walked through
            }
        }
    }

    private void FindPaths(List<FoundCgroup> cgroups)
    {
        foreach (var cgroup in cgroups)
        {
            if (cgroup.Id.Length > 0 && known.TryGetValue(cgroup.Id, out var of) && of.Path.Length == 0)
            {
                of.Path = cgroup.Path;
                of.Labels = LabelsOf(runtime.Containers[cgroup.Id], cgroup.Path);
            }
        }
    }

    // Empty for one that is to have no series.
    private Label[] LabelsOf(RuntimeContainer container, string path)
    {
        var name = container.Name.Length > 0 ? container.Name : container.Id[..ContainerName.ShortIdChars];
        return names.Allows(name) ? CgroupContainer.LabelsOf(path, name, container.Image) : [];
    }

    private sealed class Known
    {
        public string Path { get; set; } = "";

        public Label[] Labels { get; set; } = [];

        public long Round { get; set; }
    }
}
