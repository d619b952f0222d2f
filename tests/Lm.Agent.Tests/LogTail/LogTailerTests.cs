using Lm.Agent.LogTail;
using Lm.Agent.Settings;
using Lm.Protocol;

namespace Lm.Agent.Tests.LogTail;

/// <summary>Which files are followed, from where, and how settings, batches and the queue bound that.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class LogTailerTests
{
    [Fact]
    public async Task Complete_lines_arrive_once_and_the_rest_of_a_line_waits_for_its_end()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.Write("a.log", "one\ntwo\nthr");
        await bench.StartAsync();

        await bench.ReadAsync();
        Assert.Equal(["one", "two"], bench.Bodies());

        bench.Append("a.log", "ee\n");
        await bench.ReadAsync();
        await bench.ReadAsync();
        Assert.Equal(["one", "two", "three"], bench.Bodies());
    }

    [Fact]
    public async Task Starting_at_the_end_leaves_out_what_is_there_and_keeps_the_line_that_is_being_written()
    {
        await using var bench = new TailBench();
        bench.AddInput("*.log", startAtEnd: true);
        bench.Write("a.log", "old\nhal");
        await bench.StartAsync();
        await bench.ReadAsync();
        await bench.RestartAsync();
        bench.Append("a.log", "f\nnew\n");
        bench.Write("b.log", "from the beginning\n");

        await bench.ReadAsync();

        Assert.Equal(["half", "new", "from the beginning"], bench.Bodies());
    }

    [Fact]
    public async Task Starting_at_the_end_keeps_a_long_line_that_is_being_written()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log", startAtEnd: true);
        bench.Write("a.log", "old\n" + new string('x', 9_000));
        await bench.StartAsync();
        await bench.ReadAsync();
        bench.Append("a.log", "y\n");

        await bench.ReadAsync();

        Assert.Equal([new string('x', 9_000) + "y"], bench.Bodies());
    }

    [Fact]
    public async Task A_file_that_comes_later_is_read_from_its_beginning()
    {
        await using var bench = new TailBench();
        bench.AddInput("sub/a.log", startAtEnd: true);
        await bench.StartAsync();
        await bench.ReadAsync();
        Directory.CreateDirectory(bench.At("sub"));
        bench.Write("sub/a.log", "one\n");

        await bench.ReadAsync();

        Assert.Equal(["one"], bench.Bodies());
    }

    [Fact]
    public async Task No_more_files_are_followed_than_the_queue_has_room_for_the_offsets_of()
    {
        await using var bench = new TailBench(queueBytesMax: 256 << 10);
        bench.AddInput("*.log");
        for (var i = 0; i < 300; i++)
        {
            bench.Write($"{i:d3}-{new string('n', 100)}.log", $"{i}\n");
        }

        await bench.StartAsync();
        await bench.ReadAsync();
        await bench.RestartAsync();
        await bench.ReadAsync();

        Assert.InRange(bench.Tailer.Counters[0].Files, 40, 100);
        Assert.Equal(bench.Tailer.Counters[0].Files, bench.Bodies().Count);
        Assert.Equal(2, bench.Queue.Logger.CountOf(1206));
    }

    [Fact]
    public async Task Compressed_files_are_not_read_as_text_whatever_their_name()
    {
        await using var bench = new TailBench();
        bench.AddInput("a*");
        bench.Write("a.log", "1\n");
        bench.Write("a.log.2.gz", "not looked into\n");
        bench.Write("a-old", [0x1F, 0x8B, 8, 0, 10, 10]);
        await bench.StartAsync();

        await bench.ReadAsync();
        await bench.ReadAsync();

        Assert.Equal(["1"], bench.Bodies());
        Assert.Equal(1, bench.Queue.Logger.CountOf(1207));
    }

    [Fact]
    public async Task Pipes_and_folders_are_not_files()
    {
        await using var bench = new TailBench();
        bench.AddInput("*.log");
        Directory.CreateDirectory(bench.At("d.log"));
        Assert.Equal(0, await RunAsync("mkfifo", bench.At("p.log")));
        bench.Write("a.log", "1\n");
        await bench.StartAsync();

        await bench.ReadAsync();

        Assert.Equal(["1"], bench.Bodies());
    }

    [Fact]
    public async Task Batches_are_no_larger_than_the_settings_and_the_collector_allow()
    {
        await using var bench = new TailBench { LogsPerBatchMax = 1000, Announced = new Limits { LogsPerBatchMax = 7, LogMessageBytesMax = 3 } };
        bench.AddInput("a.log");
        bench.Write("a.log", string.Concat(Enumerable.Range(100, 50).Select(i => $"{i}4\n")));
        await bench.StartAsync();

        await bench.ReadAsync();

        var batches = bench.Queue.ReadAll().ConvertAll(TailBench.LinesOf);
        Assert.All(batches, lines => Assert.InRange(lines.Count, 1, 7));
        Assert.Equal(Enumerable.Range(100, 50).Select(i => $"{i}"), batches.SelectMany(lines => lines).Select(line => line.Body));
    }

    [Fact]
    public async Task A_collector_that_takes_no_log_records_gets_none_and_the_lines_wait()
    {
        await using var bench = new TailBench { Announced = new Limits { LogsPerBatchMax = 0 } };
        bench.AddInput("a.log");
        bench.Write("a.log", "1\n");
        await bench.StartAsync();
        Assert.Equal(RoundOutcome.Full, await bench.ReadAsync());
        Assert.Empty(bench.Bodies());
        bench.Announced = new Limits();

        await bench.ReadAsync();

        Assert.Equal(["1"], bench.Bodies());
        Assert.Equal((1, 1), (bench.Queue.Logger.CountOf(1208), bench.Queue.Logger.CountOf(1209)));
    }

    [Fact]
    public async Task Lines_wait_in_their_files_while_the_queue_is_full_or_cannot_be_written()
    {
        await using var bench = new TailBench(queueBytesMax: 256 << 10);
        bench.AddInput("a.log");
        await bench.StartAsync();
        var random = new Random(5);
        var lines = Enumerable.Range(0, 9000).Select(i => $"{i} {Convert.ToBase64String(BitConverter.GetBytes(random.NextInt64()))}{random.NextInt64():x}{random.NextInt64():x}{random.NextInt64():x}").ToList();
        bench.Write("a.log", string.Join('\n', lines) + "\n");
        var got = new List<string>();
        for (var i = 0; i < 100 && got.Count < lines.Count; i++)
        {
            bench.Files.Capacity = i % 3 == 1 ? 0 : long.MaxValue;
            await bench.ReadAsync();
            bench.Files.Capacity = long.MaxValue;
            got.AddRange(bench.Take().ConvertAll(line => line.Body));
        }

        Assert.Equal(lines, got);
        Assert.Equal(0UL, bench.Queue.Queue.Counters.Lost + bench.Queue.Queue.Counters.Dropped);
        Assert.True(bench.Queue.Logger.CountOf(1208) > 0);
    }

    [Fact]
    public async Task Two_inputs_of_one_file_each_get_its_lines()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.AddInput("*.log");
        bench.Write("a.log", "1\n");
        await bench.StartAsync();
        await bench.ReadAsync();
        await bench.RestartAsync();
        bench.Append("a.log", "2\n");

        await bench.ReadAsync();

        Assert.Equal(["in0 1", "in0 2", "in1 1", "in1 2"], bench.Arrived().Select(line => $"{line.Attributes["input"]} {line.Body}").Order());
    }

    [Fact]
    public async Task A_reload_goes_on_with_inputs_that_stay_and_forgets_those_that_go()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.AddInput("b.log");
        bench.Write("a.log", "1\n");
        bench.Write("b.log", "x\n");
        await bench.StartAsync();
        await bench.ReadAsync();
        bench.Inputs.RemoveAt(1);
        bench.Inputs.Add(new LogInput("in2", bench.At("c.log"), false));
        bench.Write("c.log", "c\n");
        bench.Append("a.log", "2\n");
        bench.Append("b.log", "y\n");

        bench.Tailer.Replace(bench.Settings());
        await bench.ReadAsync();

        Assert.Equal(["1", "x", "2", "c"], bench.Bodies());
        Assert.DoesNotContain(bench.Queue.Queue.TailOffsets, offset => offset.Input == "in1");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reload_that_changes_an_inputs_path_doubles_no_line_that_could_not_be_stored_yet(bool isStillFull)
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.Write("a.log", "1\n2\n");
        await bench.StartAsync();
        bench.Files.Capacity = 0;
        Assert.Equal(RoundOutcome.Waiting, await bench.ReadAsync());
        bench.Inputs[0] = bench.Inputs[0] with { Path = bench.At("*.log") };
        bench.Write("b.log", "b\n");

        bench.Tailer.Replace(bench.Settings());
        if (isStillFull)
        {
            Assert.Equal(RoundOutcome.Waiting, await bench.ReadAsync());
        }

        bench.Files.Capacity = long.MaxValue;
        await bench.ReadAsync();

        Assert.Equal(["1", "2", "b"], bench.Bodies());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_input_that_gets_another_path_leaves_the_files_of_the_old_one(bool isDown)
    {
        await using var bench = new TailBench();
        var input = bench.AddInput("a*.log");
        bench.Write("a1.log", "1\n");
        bench.Write("a2.log", "2\n");
        await bench.StartAsync();
        await bench.ReadAsync();

        bench.Inputs[0] = input with { Path = bench.At("a2.log") };
        if (isDown)
        {
            await bench.RestartAsync();
        }
        else
        {
            bench.Tailer.Replace(bench.Settings());
        }

        bench.Append("a1.log", "of nobody's\n");
        bench.Append("a2.log", "2+\n");
        await bench.ReadAsync();
        await bench.RestartAsync();
        bench.Append("a1.log", "of nobody's\n");
        await bench.ReadAsync();

        Assert.Equal(["1", "2", "2+"], bench.Bodies());
    }

    [Fact]
    public async Task Offsets_survive_every_segment_of_the_queue()
    {
        await using var bench = new TailBench(queueBytesMax: 512 << 10) { LogsPerBatchMax = 50 };
        bench.AddInput("a.log");
        await bench.StartAsync();
        var random = new Random(7);
        var written = new List<string>();
        var got = new List<string>();
        for (var i = 0; i < 150; i++)
        {
            var lines = Enumerable.Range(0, 40).Select(n => $"{i}/{n} {random.NextInt64():x}{random.NextInt64():x}{random.NextInt64():x}{random.NextInt64():x}").ToList();
            written.AddRange(lines);
            bench.Append("a.log", string.Join('\n', lines) + "\n");
            await bench.ReadAsync();
            got.AddRange(bench.Take().ConvertAll(line => line.Body));
            if (i % 7 == 0)
            {
                await bench.RestartAsync();
            }
        }

        Assert.Equal(written, got);
        Assert.True(bench.Queue.Queue.End.Segment > 1);
    }

    private static async Task<int> RunAsync(string program, string argument)
    {
        using var process = System.Diagnostics.Process.Start(program, [argument]);
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
