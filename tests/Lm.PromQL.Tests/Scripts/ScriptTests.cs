using System.Runtime.CompilerServices;

namespace Lm.PromQL.Tests.Scripts;

public sealed class ScriptTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("aggregators.test")]
    [InlineData("functions.test")]
    [InlineData("literals.test")]
    [InlineData("operators.test")]
    [InlineData("staleness.test")]
    public void Every_case_of_Prometheus_3_agrees_but_those_listed_among_the_limitations(string file) => Assert.Equal(Listed(file), Run(PromSemantics.V3, file));

    [Theory]
    [InlineData("aggregators.test")]
    [InlineData("functions.test")]
    [InlineData("literals.test")]
    [InlineData("operators.test")]
    [InlineData("staleness.test")]
    public void Every_case_of_Prometheus_2_42_agrees_with_its_semantics(string file) => Assert.Empty(Run(PromSemantics.V2, file));

    // The rows "| `FILE` | REASON | LINES |" of docs/limitations.md, as "LINE: REASON".
    private static IEnumerable<string> Listed(string file, [CallerFilePath] string here = "")
    {
        var page = File.ReadLines(Path.Combine(Path.GetDirectoryName(here)!, "../../../docs/limitations.md"));
        var cells = page.Where(line => line.StartsWith($"| `{file}` |", StringComparison.Ordinal)).Select(line => line.Split('|', StringSplitOptions.TrimEntries));
        return cells.SelectMany(row => row[3].Split(", ").Select(number => $"{number}: {row[2]}")).Order(StringComparer.Ordinal);
    }

    // Gives what was left out, as "LINE: REASON".
    private IEnumerable<string> Run(PromSemantics semantics, string file)
    {
        var script = Script.Parse(ScriptFiles.Read(semantics, file));
        var runner = new ScriptRunner(semantics, series => new QueryEngine(series, new QueryEngineOptions { Semantics = semantics }));

        runner.Run(script);

        output.WriteLine($"{file}: {runner.Ran} cases ran, {runner.LeftOut.Count} are left out");
        foreach (var leftOut in runner.LeftOut)
        {
            output.WriteLine($"left out: {file}:{leftOut}");
        }

        Assert.True(runner.Failures.Count == 0, $"{runner.Failures.Count} of {runner.Ran} cases fail:\n{string.Join('\n', runner.Failures)}");
        Assert.True(runner.Ran > 0, "no case ran");
        return runner.LeftOut.Select(leftOut => string.Join(':', leftOut.Split(':').Take(2))).Distinct().Order(StringComparer.Ordinal);
    }
}
