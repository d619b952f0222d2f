using Lm.Agent.Gathering;
using Lm.Agent.Settings;
using Lm.Platform.Processes;

namespace Lm.Agent.Tests.Gathering;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class TextFolderTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("lm-textfile-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public void Files_give_their_samples_and_when_they_were_changed()
    {
        Put("b.prom", "b 2\n");
        Put("a.prom", "a 1\n");
        Put("notes.txt", "garbage");

        var (fault, samples) = Run(NewFolder());

        Assert.Equal("", fault);
        Assert.Equal(["a=1", $"node_textfile_mtime_seconds{{{directory}/a.prom}}", "b=2", $"node_textfile_mtime_seconds{{{directory}/b.prom}}", "node_textfile_scrape_error=0"], samples);
    }

    [Fact]
    public void A_malformed_file_costs_itself_alone_and_is_told()
    {
        Put("good.prom", "good 1\n");
        Put("bad.prom", "bad one\n");

        var (fault, samples) = Run(NewFolder());

        Assert.Equal($"{directory}/bad.prom: line 1: its value is no number", fault);
        Assert.Contains("good=1", samples);
        Assert.Contains("node_textfile_scrape_error=1", samples);
        Assert.DoesNotContain(samples, sample => sample.Contains("bad", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_that_goes_ends_its_series()
    {
        var folder = NewFolder();
        Put("a.prom", "a 1\n");
        Run(folder);
        File.Delete(Path.Combine(directory, "a.prom"));

        Run(folder);

        Assert.Equal(["a"], folder.Outlet.Last!.Ended.Select(ended => ended.Metric.Name));
    }

    [Fact]
    public void Pipes_and_folders_with_such_a_name_are_not_waited_for()
    {
        Assert.True(ProgramRun.Start(new ProgramStart("/usr/bin/mkfifo", [Path.Combine(directory, "pipe.prom")]), TimeProvider.System, TestContext.Current.CancellationToken).IsGood);
        Directory.CreateDirectory(Path.Combine(directory, "folder.prom"));
        Put("a.prom", "a 1\n");

        var (fault, samples) = Run(NewFolder());

        Assert.Equal($"{directory}/pipe.prom: it is no file", fault);
        Assert.Contains("a=1", samples);
    }

    [Fact]
    public void Files_over_the_limits_are_left_out()
    {
        Put("large.prom", new string('#', 5000));
        Put("many.prom", string.Concat(Enumerable.Range(0, 11).Select(i => $"m{i} 1\n")));
        Put("ok.prom", "ok 1\n");

        var (fault, samples) = Run(NewFolder());

        Assert.StartsWith($"{directory}/large.prom: it has 5000 bytes; allowed are 4096", fault, StringComparison.Ordinal);
        Assert.EndsWith("and 1 more", fault, StringComparison.Ordinal);
        Assert.Contains("ok=1", samples);
    }

    [Fact]
    public void A_directory_that_is_not_there_is_told()
    {
        var folder = new TextFolder(Settings(directory + "/none"), TimeProvider.System);

        Assert.Contains("none", folder.Run(CancellationToken.None), StringComparison.Ordinal);
        Assert.Equal(1, Assert.Single(folder.Outlet.Last!.Samples).Value);
    }

    private TextFolder NewFolder() => new(Settings(directory), TimeProvider.System);

    private static TextFolderSettings Settings(string directory) =>
        new(directory) { Interval = TimeSpan.FromSeconds(1), FileBytesMax = 4096, SamplesMax = 10 };

    private static (string Fault, List<string> Samples) Run(TextFolder folder)
    {
        var fault = folder.Run(CancellationToken.None);
        return (fault, [.. folder.Outlet.Last!.Samples.Select(sample => sample.Labels is [var label] ? $"{sample.Metric.Name}{{{label.Value}}}" : $"{sample.Metric.Name}={sample.Value}")]);
    }

    private void Put(string name, string content)
    {
        using var writer = new StreamWriter(Path.Combine(directory, name));
        writer.Write(content);
    }
}
