using System.Text;
using Lm.Agent.HostMetrics;
using Lm.Agent.HostMetrics.Node;
using Lm.Agent.Settings;
using Lm.TestKit;

namespace Lm.Agent.Tests.HostMetrics.Node;

/// <summary>A host made of files: <c>proc</c>, <c>sys</c>, <c>udev</c>, and the root itself, in a folder of its own.</summary>
internal sealed class HostTree : IDisposable
{
    public HostTree()
    {
        foreach (var folder in new[] { "proc", "sys", "udev" })
        {
            Directory.CreateDirectory(In(folder));
        }
    }

    public string Root { get; } = Directory.CreateTempSubdirectory("lm-host-").FullName;

    public ManualTime Time { get; } = new();

    public ListLogger Logger { get; } = new();

    public HostRoots Roots => new(new ProcFs(In("proc")), new ProcFs(In("sys")), new ProcFs(Root), new ProcFs(In("udev")), ProcTree.Units);

    public string In(string path) => Path.Combine(Root, path);

    public HostTree Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(In(path))!);
        using var stream = File.Create(In(path));
        stream.Write(Encoding.UTF8.GetBytes(text));
        return this;
    }

    public void Delete(string path)
    {
        if (Directory.Exists(In(path)))
        {
            Directory.Delete(In(path), recursive: true);
            return;
        }

        File.Delete(In(path));
    }

    /// <summary>A sampler with some of the sources alone, or all.</summary>
    public HostSampler NewSampler(SourcesSettings? settings = null, ProcessChanges? changes = null) =>
        HostSources.NewSampler(settings ?? new SourcesSettings(), Roots, Root, Time, Logger, changes);

    /// <summary>One source's samples.</summary>
    public RecordingSink Collect(IMetricSource source)
    {
        var sink = new RecordingSink();
        var outcome = source.Collect(sink);
        Assert.Equal(outcome.SeriesCount, sink.Values.Count);
        Assert.True(outcome.Fault.IsNone, outcome.Fault.ToString());
        LastOmitted = outcome.OmittedCount;
        return sink;
    }

    /// <summary>What the last source left out.</summary>
    public int LastOmitted { get; private set; }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
