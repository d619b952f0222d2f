using Lm.Agent.Settings;
using Lm.Protocol;

namespace Lm.Agent.Tests.LogTail;

/// <summary>What becomes of lines: records, joined, cut, marked, with times, severities and attributes.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class LineRecordsTests
{
    [Fact]
    public async Task A_record_names_its_input_and_file_and_says_when_it_was_read()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.Write("a.log", "one\n");
        await bench.StartAsync();

        await bench.ReadAsync();

        var line = Assert.Single(bench.Arrived());
        Assert.Equal(new Dictionary<string, string> { ["input"] = "in0", ["file"] = bench.At("a.log") }, line.Attributes);
        Assert.Equal(bench.Time.GetUtcNow().ToUnixTimeMilliseconds(), line.TimeMs);
        Assert.Equal(0, line.Severity);
    }

    [Fact]
    public async Task Offsets_are_told_where_they_are_asked_for()
    {
        await using var bench = new TailBench();
        bench.Inputs.Add(bench.AddInput("a.log") with { HasOffsets = true });
        bench.Inputs.RemoveAt(0);
        bench.Write("a.log", "one\ntwo\n\nfour\n");
        await bench.StartAsync();

        await bench.ReadAsync();

        Assert.Equal(["0", "4", "8", "9"], bench.Arrived().Select(line => line.Attributes["offset"]));
    }

    [Fact]
    public async Task A_hole_is_no_part_of_a_record_of_joined_lines_and_ends_one()
    {
        await using var bench = new TailBench { LogMessageBytesMax = 1000 };
        bench.Inputs.Add(bench.AddInput("a.log") with { MultilineStart = Pattern(@"^\d") });
        bench.Inputs.RemoveAt(0);
        bench.Write("a.log", "1 first\n  at x\n" + new string('\0', 600) + "2 second\n\0  kept\n");
        await bench.StartAsync();
        await bench.ReadAsync(seconds: 2);
        await bench.ReadAsync(seconds: 2);
        bench.Truncate("a.log");
        using (var file = new FileStream(bench.At("a.log"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.Position = 300_000;
            file.Write("3 behind a hole\n  at z\n"u8);
        }

        await bench.ReadAsync(seconds: 2);
        bench.Append("a.log", "4\n");
        await bench.ReadAsync(seconds: 2);
        await bench.ReadAsync(seconds: 2);

        Assert.Equal(["1 first\n  at x", "2 second\n\0  kept", "3 behind a hole\n  at z", "4"], bench.Bodies());
    }

    [Fact]
    public async Task A_long_line_is_cut_at_a_character_marked_and_counted()
    {
        await using var bench = new TailBench { LogMessageBytesMax = 100 };
        bench.AddInput("a.log");
        bench.Write("a.log", new string('x', 99) + "é\n" + new string('y', 300_000) + "\nshort\r\n");
        await bench.StartAsync();

        await bench.ReadAsync();

        Assert.Equal([new string('x', 99), new string('y', 100), "short"], bench.Bodies());
        Assert.Equal(["truncated", "truncated", ""], bench.Arrived().Select(line => line.Marks));
        Assert.Equal((2, 3), (bench.Tailer.Counters[0].Truncated, bench.Tailer.Counters[0].Lines));
    }

    [Fact]
    public async Task A_long_line_that_fits_arrives_whole_though_it_is_longer_than_what_is_read_at_a_time()
    {
        await using var bench = new TailBench { LogMessageBytesMax = 1 << 20 };
        bench.AddInput("a.log");
        var text = new string('z', 200_000);
        bench.Write("a.log", "1\n" + text[..100_000]);
        await bench.StartAsync();
        await bench.ReadAsync();
        bench.Append("a.log", text[100_000..] + "\n2\n");

        await bench.ReadAsync();

        Assert.Equal(["1", text, "2"], bench.Bodies());
    }

    [Theory]
    [InlineData(16_384)]
    [InlineData(12 << 20)]
    public async Task A_line_of_10_MB_that_comes_in_pieces_is_one_record(int messageBytesMax)
    {
        await using var bench = new TailBench(queueBytesMax: 256 << 20) { LogMessageBytesMax = messageBytesMax };
        bench.AddInput("a.log");
        bench.Write("a.log", "1\n");
        await bench.StartAsync();
        var piece = new string('z', 1_000_000);
        for (var i = 0; i < 10; i++)
        {
            bench.Append("a.log", piece);
            await bench.ReadAsync();
            Assert.Equal(["1"], bench.Bodies());
        }

        bench.Append("a.log", "\n2\n");
        await bench.ReadAsync();

        var bodies = bench.Bodies();
        Assert.Equal(("1", "2", 3), (bodies[0], bodies[2], bodies.Count));
        Assert.Equal(Math.Min(10_000_000, messageBytesMax), bodies[1].Length);
        Assert.True(bodies[1].AsSpan().TrimStart('z').IsEmpty);
        Assert.Equal(messageBytesMax < 10_000_000 ? "truncated" : "", bench.Arrived()[1].Marks);
    }

    [Fact]
    public async Task A_record_of_lines_that_take_several_turns_to_read_is_joined()
    {
        await using var bench = new TailBench(queueBytesMax: 256 << 20) { LogMessageBytesMax = 12 << 20 };
        bench.Inputs.Add(bench.AddInput("a.log") with { MultilineStart = Pattern("^#") });
        bench.Inputs.RemoveAt(0);
        var record = "# begins" + string.Concat(Enumerable.Repeat("\n" + new string('y', 9999), 900));
        bench.Write("a.log", record + "\n# next\n");
        await bench.StartAsync();

        await bench.ReadAsync();

        Assert.Equal([record], bench.Bodies());
    }

    [Fact]
    public async Task A_long_line_among_joined_ones_is_cut_and_the_next_record_begins_where_it_should()
    {
        await using var bench = new TailBench { LogMessageBytesMax = 100 };
        bench.Inputs.Add(bench.AddInput("a.log") with { MultilineStart = Pattern(@"^\d") });
        bench.Inputs.RemoveAt(0);
        bench.Write("a.log", "1\n" + new string('y', 300_000) + "\n2\n  more\n3\n");
        await bench.StartAsync();

        await bench.ReadAsync();
        await bench.RestartAsync();
        await bench.ReadAsync(seconds: 5);

        Assert.Equal(["1", new string('y', 100), "2\n  more", "3"], bench.Bodies());
        Assert.Equal(["", "truncated", "", ""], bench.Arrived().Select(line => line.Marks));
    }

    [Fact]
    public async Task Hostile_lines_arrive_as_they_are()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        string[] lines = ["<script>alert(1)</script>", "\u001b[31mred\u001b[0m\u0007", "a\0b", "\r in \r the middle", "", " \t ", "{\"json\": \"\\u0000\"}", "\u202egnirts", "\ufeffbom"];
        bench.Write("a.log", string.Join('\n', lines) + "\n");
        await bench.StartAsync();

        await bench.ReadAsync();

        Assert.Equal(lines, bench.Bodies());
        Assert.All(bench.Arrived(), line => Assert.InRange(line.Attributes.Count, 1, 4));
    }

    [Fact]
    public async Task Records_have_the_time_and_severity_that_their_line_says()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.Inputs.Add(new LogInput("plain", bench.At("a.log"), false) { Recognises = false });
        await bench.StartAsync();
        var written = DateTimeOffset.FromUnixTimeMilliseconds(bench.Time.GetUtcNow().AddHours(-1).ToUnixTimeMilliseconds());
        var line = $"{written:yyyy-MM-dd'T'HH:mm:ss.fff}Z ERROR it broke";
        bench.Write("a.log", line + "\n");

        await bench.ReadAsync();

        var arrived = bench.Arrived();
        Assert.Equal([(line, written.ToUnixTimeMilliseconds(), 17), (line, bench.Time.GetUtcNow().ToUnixTimeMilliseconds(), 0)], arrived.Select(record => (record.Body, record.TimeMs, record.Severity)));
    }

    [Fact]
    public async Task A_record_has_four_attributes_at_most_and_values_that_the_collector_takes()
    {
        await using var bench = new TailBench { LogMessageBytesMax = 64, Announced = new Limits { LabelValueBytesMax = 64 } };
        bench.Inputs.Add(bench.AddInput(string.Join('/', Enumerable.Repeat("\u00e9-long-folder", 6)) + "/a.log") with { HasOffsets = true });
        bench.Inputs.RemoveAt(0);
        var path = bench.Inputs[0].Path;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using (var file = File.Create(path))
        {
            file.Write([.. Enumerable.Repeat((byte)0xFF, 200), (byte)'\n']);
        }

        await bench.StartAsync();
        await bench.ReadAsync();

        var line = Assert.Single(bench.Arrived());
        Assert.Equal(["file", "input", "marks", "offset"], line.Attributes.Keys.Order(StringComparer.Ordinal));
        Assert.StartsWith("...", line.Attributes["file"], StringComparison.Ordinal);
        Assert.EndsWith("folder/a.log", line.Attributes["file"], StringComparison.Ordinal);
        Assert.All(line.Attributes.Values, value => Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(value), 1, 64));
        Assert.Equal("truncated,invalid_utf8", line.Marks);
    }

    [Fact]
    public async Task Bytes_that_are_no_UTF_8_are_replaced_marked_and_counted()
    {
        await using var bench = new TailBench { LogMessageBytesMax = 64 };
        bench.AddInput("a.log");
        bench.Append("a.log", "caf\u00e9 \ud83d\ude00\n");
        bench.Append("a.log", [(byte)'a', 0xFF, (byte)'b', (byte)'\n']);
        bench.Append("a.log", [.. Enumerable.Repeat((byte)0xFE, 60), (byte)'\n']);
        await bench.StartAsync();

        await bench.ReadAsync();

        Assert.Equal(["caf\u00e9 \ud83d\ude00", "a\ufffdb", new string('\ufffd', 21)], bench.Bodies());
        Assert.Equal(["", "invalid_utf8", "truncated,invalid_utf8"], bench.Arrived().Select(line => line.Marks));
        Assert.Equal(2, bench.Tailer.Counters[0].Repaired);
    }

    [Fact]
    public async Task Lines_that_match_an_exclude_pattern_are_left_out_and_counted()
    {
        await using var bench = new TailBench();
        bench.Inputs.Add(bench.AddInput("a.log") with { Exclude = [Pattern("^#"), Pattern("health"), Pattern(@"GET /\w+z\b")] });
        bench.Inputs.RemoveAt(0);
        bench.Write("a.log", "# comment\nGET /healthy\nGET /readyz 200\nGET /index 200\nno # comment\n");
        await bench.StartAsync();

        await bench.ReadAsync();

        Assert.Equal(["GET /index 200", "no # comment"], bench.Bodies());
        Assert.Equal(3, bench.Tailer.Counters[0].Excluded);
    }

    [Fact]
    public async Task Lines_that_go_on_are_joined_until_the_next_start_or_a_pause()
    {
        await using var bench = new TailBench { LogMessageBytesMax = 64 };
        bench.Inputs.Add(bench.AddInput("a.log") with { MultilineStart = Pattern(@"^\d") });
        bench.Inputs.RemoveAt(0);
        await bench.StartAsync();
        bench.Write("a.log", "1 first\n  at x\r\n  at y\n2 second\n  more\n");

        await bench.ReadAsync();
        Assert.Equal(["1 first\n  at x\n  at y"], bench.Bodies());

        await bench.ReadAsync(seconds: 2);
        Assert.Equal(["1 first\n  at x\n  at y", "2 second\n  more"], bench.Bodies());

        bench.Append("a.log", "3 " + new string('x', 50) + "\n" + new string('y', 30) + "\n4\n");
        await bench.ReadAsync(seconds: 2);
        await bench.ReadAsync(seconds: 2);
        Assert.Equal(["3 " + new string('x', 50), new string('y', 30), "4"], bench.Bodies().Skip(2));
    }

    private static LinePattern Pattern(string text) => LinePattern.TryParse(text, out var fault) ?? throw new InvalidOperationException(fault);
}
