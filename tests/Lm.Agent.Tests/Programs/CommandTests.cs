using System.Text;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Lm.Agent.Programs;
using Lm.Agent.Settings;
using Lm.Agent.Tests.LogTail;
using Lm.Protocol;

namespace Lm.Agent.Tests.Programs;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class CommandTests : IDisposable
{
    private const string Free = """
                       total        used        free
        Mem:        16305012     4211348     9120034
        Swap:              0           0           0
        """;

    private const string Json = """{"load":{"average":[0.25,0.5]},"ok":true,"text":"12 rpm","deep":[{"a":1},{"a":2}]}""";

    private readonly RecordingLogger logger = new();
    private readonly CommandRecords records = new();

    public void Dispose() => records.Dispose();

    [Theory]
    [InlineData("regex = 'Mem:\\s+(\\d+)'", 16305012.0)]
    [InlineData("regex = '^Swap.*$'\ngroup = 0", null)]
    [InlineData("row = 2\ncolumn = 3", 4211348.0)]
    [InlineData("row_match = '^Swap:'\ncolumn = -1", 0.0)]
    [InlineData("row = -2\ncolumn = 2", 16305012.0)]
    [InlineData("row = 9\ncolumn = 1", null)]
    [InlineData("row = 1\ncolumn = 1", null)]
    [InlineData("row = 2\ncolumn = 2\ncolumn_delimiter = ':'", 16305012.0)]
    public void A_number_is_cut_out_of_a_table(string where, double? expected) => Assert.Equal(expected, Cut(Free, where));

    [Theory]
    [InlineData("load.average[1]", 0.5)]
    [InlineData("ok", 1.0)]
    [InlineData("text", 12.0)]
    [InlineData("deep[1].a", 2.0)]
    [InlineData("deep[2].a", null)]
    [InlineData("load", null)]
    [InlineData("missing", null)]
    public void A_number_is_cut_out_of_json(string path, double? expected) => Assert.Equal(expected, Cut(Json, $"json = '{path}'"));

    [Theory]
    [InlineData("not json")]
    [InlineData("{\"load\":")]
    [InlineData("{\"\\ud800\":1,\"load\":{\"average\":[\"x\"]}}")]
    [InlineData("")]
    public void What_is_no_json_has_no_number(string output) => Assert.Null(Cut(output, "json = 'load.average[0]'"));

    [Fact]
    public void No_bytes_of_json_make_the_search_throw()
    {
        var sample = Encoding.UTF8.GetBytes(Json);
        List<ValueCut.ByJson> cuts = [.. ((string[])["load.average[1]", "text", "deep[1].a"]).Select(path => new ValueCut.ByJson(VariableReader.ParsePath(path)!))];
        var damaged =
            from at in Gen.Choose(0, sample.Length - 1)
            from length in Gen.Choose(0, 4)
            from replacement in Gen.Choose(0, 255).Select(number => (byte)number).ArrayOf()
            select (byte[])[.. sample[..at], .. replacement.Take(4), .. sample[Math.Min(sample.Length, at + length)..]];
        Prop.ForAll(Arb.From(damaged), bytes =>
        {
            foreach (var cut in cuts)
            {
                Assert.True(!OutputValue.TryCut("", bytes, cut, out var value) || double.IsFinite(value));
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
    }

    [Fact]
    public async Task A_command_gives_its_variables_its_exit_code_and_its_output()
    {
        var command = NewCommand("echo value 42; exit 0", Pattern("answer", "value (\\d+)"));

        Assert.Equal("", command.Run(CancellationToken.None));

        Assert.Equal(["lmagent_command_variable{test,answer}=42", "lmagent_command_exit_code{test}=0", "lmagent_command_variables_missing{test}=0"], SamplesOf(command));
        Assert.Equal([("value 42", "0")], await TakeRecordsAsync());
    }

    [Fact]
    public async Task One_that_fails_has_no_variables_and_those_that_were_there_end()
    {
        var path = Path.GetTempFileName();
        try
        {
            var command = NewCommand($"[ -e {path} ] && echo value 42 || {{ echo oops; exit 3; }}", Pattern("answer", "value (\\d+)"));
            command.Run(CancellationToken.None);
            File.Delete(path);

            Assert.Equal("it ended with exit code 3", command.Run(CancellationToken.None));

            Assert.Equal(["lmagent_command_exit_code{test}=3", "lmagent_command_variables_missing{test}=1"], SamplesOf(command));
            Assert.Equal(["lmagent_command_variable"], command.Outlet.Last!.Ended.Select(ended => ended.Metric.Name));
            Assert.Equal([("value 42", "0"), ("oops", "3")], await TakeRecordsAsync());
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void One_that_floods_or_hangs_has_the_exit_code_minus_1()
    {
        var flooding = NewCommand("yes");
        var hanging = NewCommand("sleep 600", timeoutMs: 200);

        Assert.Contains("more than 4096 bytes", flooding.Run(CancellationToken.None), StringComparison.Ordinal);
        Assert.Contains("within 200 ms", hanging.Run(CancellationToken.None), StringComparison.Ordinal);

        Assert.Contains("lmagent_command_exit_code{test}=-1", SamplesOf(flooding));
        Assert.Contains("lmagent_command_exit_code{test}=-1", SamplesOf(hanging));
    }

    [Fact]
    public void Output_that_nobody_takes_is_bounded_and_what_is_left_out_counted()
    {
        for (var i = 0; i < 300; i++)
        {
            records.Post(default, "test", 0, false, new byte[5000]);
        }

        Assert.Equal(300 - (CommandRecords.BytesMax / 5000), records.DroppedCount);
    }

    private static double? Cut(string output, string where)
    {
        var document = Lm.Toml.TomlDocument.Parse(Encoding.UTF8.GetBytes($"[[variables]]\nname = 'v'\n{where}"), "t");
        var variable = Assert.Single(VariableReader.ReadAll(document.Root));
        Assert.Empty(document.Faults.All);
        return OutputValue.TryCut(output, Encoding.UTF8.GetBytes(output), variable.Cut, out var value) ? value : null;
    }

    private static CommandVariable Pattern(string name, string pattern) =>
        new(name, Command.VariableMetric, MetricType.Gauge, new ValueCut.ByPattern(new Regex(pattern, RegexOptions.NonBacktracking), 1));

    private Command NewCommand(string script, params CommandVariable[] variables) => NewCommand(script, 60_000, variables);

    private Command NewCommand(string script, int timeoutMs, params CommandVariable[] variables)
    {
        var program = new ProgramSettings("/bin/sh", ["-c", script])
        {
            Interval = TimeSpan.FromMinutes(1),
            Timeout = TimeSpan.FromMilliseconds(timeoutMs),
            OutputBytesMax = 4096,
            WorkingDirectory = "/",
            Environment = ["PATH=/usr/bin:/bin"],
        };
        return new Command(new CommandSettings("test", program) { IsRecorded = true, Variables = variables }, records, TimeProvider.System, logger);
    }

    private static List<string> SamplesOf(Command command) => [.. command.Outlet.Last!.Samples
        .Where(sample => sample.Metric.Name != "lmagent_command_duration_seconds")
        .Select(sample => $"{sample.Metric.Name}{{{string.Join(',', sample.Labels.Select(label => label.Value))}}}={sample.Value}")];

    private async Task<List<(string Body, string Code)>> TakeRecordsAsync()
    {
        await using var bench = new TailBench { NewSources = _ => [records] };
        await bench.StartAsync();
        await bench.ReadAsync();
        return [.. bench.Take().Where(line => line.Attributes["input"] == "commands" && line.Attributes["command"] == "test").Select(line => (line.Body, line.Attributes["exit_code"]))];
    }
}
