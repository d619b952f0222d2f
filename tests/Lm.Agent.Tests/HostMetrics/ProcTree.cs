using System.Text;
using Lm.Agent.HostMetrics;
using Lm.TestKit;

namespace Lm.Agent.Tests.HostMetrics;

/// <summary>A tree that stands for /proc: a committed fixture, or a copy of one that the test may change.</summary>
internal sealed class ProcTree : IDisposable
{
    public static readonly KernelUnits Units = new(100, 4096);

    private readonly bool isCopy;

    private ProcTree(string root, bool isCopy) => (Root, this.isCopy) = (root, isCopy);

    public string Root { get; }

    public ListLogger Logger { get; } = new();

    public ManualTime Time { get; } = new();

    public static IEnumerable<string> Cases => Directory.GetDirectories(FixtureFolder()).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal);

    public static ProcTree Of(string name) => new(Path.Combine(FixtureFolder(), name), isCopy: false);

    public static ProcTree CopyOf(string name)
    {
        var from = Path.Combine(FixtureFolder(), name);
        var to = Directory.CreateTempSubdirectory("lm-proc-").FullName;
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        return new ProcTree(to, isCopy: true);
    }

    public HostSampler NewSampler(ProcessChanges? changes = null) => new(new ProcFs(Root), Path.GetTempPath(), Time, Logger, Units, changes);

    public RecordingSink Collect() => Collect(NewSampler());

    public static RecordingSink Collect(HostSampler sampler)
    {
        var sink = new RecordingSink();
        Assert.Equal(sampler.Collect(sink), sink.Values.Count);
        return sink;
    }

    public void Write(string file, string text)
    {
        var path = Path.Combine(Root, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var stream = File.Create(path);
        stream.Write(Encoding.UTF8.GetBytes(text));
    }

    public string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    public void Delete(string file) => File.Delete(Path.Combine(Root, file));

    public void Dispose()
    {
        if (isCopy)
        {
            Directory.Delete(Root, recursive: true);
        }
    }

    private static string FixtureFolder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Lightmetrics.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException($"no Lightmetrics.sln above {AppContext.BaseDirectory}");
        }

        return Path.Combine(folder.FullName, "tests", "fixtures", "proc");
    }
}
