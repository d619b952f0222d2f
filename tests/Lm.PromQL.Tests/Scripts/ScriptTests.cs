namespace Lm.PromQL.Tests.Scripts;

public sealed class ScriptTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("aggregators.test")]
    [InlineData("functions.test")]
    [InlineData("literals.test")]
    [InlineData("operators.test")]
    [InlineData("staleness.test")]
    public void Every_case_of_Prometheus_3_agrees(string file) => Run(PromSemantics.V3, file);

    [Theory]
    [InlineData("aggregators.test")]
    [InlineData("functions.test")]
    [InlineData("literals.test")]
    [InlineData("operators.test")]
    [InlineData("staleness.test")]
    public void Every_case_of_Prometheus_2_42_agrees_with_its_semantics(string file) => Run(PromSemantics.V2, file);

    private void Run(PromSemantics semantics, string file)
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
        Assert.True(semantics == PromSemantics.V3 || runner.LeftOut.Count == 0, "nothing of 2.42 is left out");
    }
}
