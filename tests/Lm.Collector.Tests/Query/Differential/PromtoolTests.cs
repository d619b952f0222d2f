using System.Diagnostics;
using Lm.PromQL.Tests.Scripts;
using Lm.Tsdb;

namespace Lm.Collector.Tests.Query.Differential;

/// <summary>Prometheus' own client.</summary>
public sealed class PromtoolTests
{
    [Theory]
    [InlineData("instant", "query instant --time=1700000000 {0} sum(a)", "{} => 3 @[1700000000]\n")]
    [InlineData("range", "query range --start=1700000000 --end=1700000060 --step=60s {0} sum(a)", "{} =>\n3 @[1700000000]\n3 @[1700000060]\n")]
    [InlineData("series", "query series --match=a --start=1699990000 --end=1700010000 {0}", "{__name__=\"a\", n=\"1\"}\n{__name__=\"a\", n=\"2\"}\n")]
    [InlineData("labels", "query labels --start=1699990000 --end=1700010000 {0} n", "1\n2\n")]
    public async Task Promtool_reads_the_answers(string kind, string arguments, string expected)
    {
        var program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(path => Path.Combine(path, "promtool")).FirstOrDefault(File.Exists);
        Assert.SkipWhen(program is null, $"no promtool in PATH for query {kind}: install Debian's package prometheus");
        var series = new MemorySeries();
        series.Add(new LabelSet(new Label("__name__", "a"), new Label("n", "1")), 1_700_000_000_000, 1);
        series.Add(new LabelSet(new Label("__name__", "a"), new Label("n", "2")), 1_700_000_000_000, 2);
        await using var host = await ApiHost.StartAsync(series, semantics: 3);
        var start = new ProcessStartInfo(program!) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments.Split(' '))
        {
            start.ArgumentList.Add(argument == "{0}" ? host.Client.BaseAddress!.ToString() : argument);
        }

        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);

        Assert.Equal(("", expected), (errors, output));
    }
}
