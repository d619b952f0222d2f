using Lm.Agent.LogTail;
using Lm.Agent.Settings;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Protocol;

namespace Lm.Agent.Gathering;

/// <summary>A directory of text files, <c>*.prom</c>, that other programs write (by rename) and whose samples are taken as they stand.</summary>
/// <remarks>Names and behaviour follow node_exporter's textfile collector. Pipes and devices are passed over: opening one may never end.</remarks>
internal sealed class TextFolder(TextFolderSettings settings, TimeProvider time) : IGatherJob
{
    private const int FilesMax = 256;

    private static readonly MetricDescriptor ScrapeError = new("node_textfile_scrape_error", MetricType.Gauge, "",
        "1 where a file of the text file directory could not be taken, 0 where all could.");

    private static readonly MetricDescriptor Modified = new("node_textfile_mtime_seconds", MetricType.Gauge, "seconds",
        "When a file of the text file directory was changed last, Unix time.");

    private readonly Dictionary<string, TextFile> files = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public string Name => $"textfile directory {settings.Directory}";

    /// <inheritdoc/>
    public TimeSpan Interval => settings.Interval;

    /// <inheritdoc/>
    public HarvestOutlet Outlet { get; } = new();

    /// <inheritdoc/>
    public string Run(CancellationToken stopping)
    {
        var at = UnixMillis.Now(time);
        var samples = new List<GatheredSample>();
        var ended = new List<GatheredSample>();
        var faults = new List<string>();
        var paths = FindPaths(faults);
        foreach (var gone in files.Keys.Except(paths).ToList())
        {
            ended.AddRange(files[gone].Samples);
            files.Remove(gone);
        }

        foreach (var path in paths.TakeWhile(_ => !stopping.IsCancellationRequested))
        {
            Take(path, samples, ended, faults);
        }

        samples.Add(new GatheredSample(ScrapeError, [], faults.Count > 0 ? 1 : 0));
        Outlet.Put(new Harvest(at, samples, ended));
        return faults.Count == 0 ? "" : faults.Count == 1 ? faults[0] : $"{faults[0]}; and {faults.Count - 1} more";
    }

    private List<string> FindPaths(List<string> faults)
    {
        try
        {
            var paths = Directory.EnumerateFiles(settings.Directory, "*.prom").Order(StringComparer.Ordinal).Take(FilesMax + 1).ToList();
            if (paths.Count > FilesMax)
            {
                faults.Add($"there are more than {FilesMax} files; the rest is left out");
                paths.RemoveAt(FilesMax);
            }

            return paths;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            faults.Add(failure.Message.TrimEnd('.'));
            return [];
        }
    }

    private void Take(string path, List<GatheredSample> samples, List<GatheredSample> ended, List<string> faults)
    {
        if (!files.TryGetValue(path, out var file))
        {
            files.Add(path, file = new TextFile(path, settings));
        }

        if (file.Read() is { Length: > 0 } fault)
        {
            faults.Add($"{path}: {fault}");
        }

        ended.AddRange(file.TakeEnded());
        if (file.Samples.Count == 0)
        {
            return;
        }

        if (samples.Count + file.Samples.Count > settings.SamplesMax)
        {
            faults.Add($"{path}: with it there would be more than {settings.SamplesMax} samples (max_samples)");
            return;
        }

        samples.AddRange(file.Samples);
        samples.Add(new GatheredSample(Modified, file.Label, file.ModifiedAtSeconds));
    }

    /// <summary>One file: read again only once it has changed.</summary>
    private sealed class TextFile(string path, TextFolderSettings settings)
    {
        private readonly SeriesTable table = new(new SeriesRules(settings.SamplesMax, [], []));
        private FileFacts facts;
        private bool hasFacts;
        private List<GatheredSample> ended = [];
        private string fault = "";

        public Label[] Label { get; } = [new Label("file", LabelValue.Cut(path, Exposition.ExpositionLabels.ValueBytesMax))];

        public IReadOnlyList<GatheredSample> Samples { get; private set; } = [];

        public double ModifiedAtSeconds { get; private set; }

        public string Read()
        {
            using var file = FollowedFile.TryOpen(path, out var error);
            if (file is null || !file.TryLook(out var now))
            {
                return Fail(System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(error));
            }

            if (hasFacts && now == facts)
            {
                return fault;
            }

            (facts, hasFacts) = (now, true);
            if (!now.IsRegular)
            {
                return Fail("it is no file");
            }

            if (now.SizeBytes > settings.FileBytesMax)
            {
                return Fail($"it has {now.SizeBytes} bytes; allowed are {settings.FileBytesMax} (max_file_bytes)");
            }

            var bytes = new byte[now.SizeBytes];
            var count = file.Read(0, bytes);
            return count < 0 ? Fail("it cannot be read") : Parse(bytes.AsSpan(0, count));
        }

        public List<GatheredSample> TakeEnded()
        {
            var taken = ended;
            ended = [];
            return taken;
        }

        private string Parse(ReadOnlySpan<byte> text)
        {
            if (table.Read(text, out var read) is { Length: > 0 } malformed)
            {
                return Fail(malformed);
            }

            ended.AddRange(table.Ended);
            (Samples, ModifiedAtSeconds, fault) = (read, facts.ModifiedAt.Value / 1000.0, "");
            return "";
        }

        private string Fail(string reason)
        {
            ended.AddRange(Samples);
            table.EndAll();
            Samples = [];
            return fault = reason;
        }
    }
}
