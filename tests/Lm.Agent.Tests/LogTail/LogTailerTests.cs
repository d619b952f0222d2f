using Lm.Agent.LogTail;
using Lm.Agent.Settings;
using Lm.Protocol;

namespace Lm.Agent.Tests.LogTail;

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
    public async Task A_file_that_is_renamed_is_read_to_its_end_before_the_one_in_its_place()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.Write("a.log", "1\n");
        await bench.StartAsync();
        await bench.ReadAsync();
        bench.Append("a.log", "2\n");
        bench.Rename("a.log", "a.log.1");
        bench.Append("a.log.1", "3\n");
        bench.Write("a.log", "4\n");

        await bench.ReadAsync();
        bench.Append("a.log.1", "late\n");
        await bench.ReadAsync();

        Assert.Equal(["1", "2", "3", "4", "late"], bench.Bodies());
        Assert.All(bench.Arrived(), line => Assert.Equal(bench.At("a.log"), line.Attributes["file"]));
    }

    [Fact]
    public async Task A_renamed_file_is_let_go_a_minute_after_its_last_line_with_what_had_no_end()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.Write("a.log", "1\nunfinished");
        await bench.StartAsync();
        await bench.ReadAsync();
        bench.Rename("a.log", "a.log.1");
        bench.Write("a.log", "2\n");
        await bench.ReadAsync();
        Assert.Equal(2, bench.Tailer.Counters[0].Files);

        await bench.ReadAsync(seconds: 120);

        Assert.Equal(["1", "2", "unfinished"], bench.Bodies());
        Assert.Equal("unterminated", bench.Arrived()[2].Marks);
        Assert.Equal(1, bench.Tailer.Counters[0].Files);
        Assert.DoesNotContain(bench.Queue.Queue.TailOffsets, offset => offset.Offset == 12);
    }

    [Fact]
    public async Task Rotation_while_the_agent_is_down_loses_nothing_however_often_it_happened()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log", startAtEnd: true);
        bench.Write("a.log.1", "long ago\n");
        bench.Write("a.log", "before\n");
        await bench.StartAsync();
        await bench.ReadAsync();
        bench.Append("a.log", "1\n");
        await bench.ReadAsync();
        await bench.StopAsync();

        bench.Append("a.log", "2\n");
        Rotate(bench);
        bench.Write("a.log", "3\n");
        Rotate(bench);
        bench.Write("a.log", "4\n");
        Rotate(bench);
        bench.Write("a.log", "5\n");
        await bench.StartAsync();
        await bench.ReadAsync();

        Assert.Equal(["1", "2", "3", "4", "5"], bench.Bodies());
    }

    [Fact]
    public async Task Rotations_between_two_looks_lose_nothing()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.Write("a.log", "1\n");
        await bench.StartAsync();
        await bench.ReadAsync();
        for (var i = 2; i < 6; i++)
        {
            Rotate(bench);
            bench.Write("a.log", $"{i}\n");
        }

        await bench.ReadAsync();

        Assert.Equal(["1", "2", "3", "4", "5"], bench.Bodies());
    }

    [Fact]
    public async Task A_truncated_file_is_read_from_its_beginning_also_when_it_is_longer_than_before()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.Write("a.log", "1\n");
        await bench.StartAsync();
        await bench.ReadAsync();
        bench.Truncate("a.log");
        bench.Append("a.log", "2 and longer than before\n");
        await bench.ReadAsync();
        bench.Truncate("a.log");
        await bench.ReadAsync();
        bench.Append("a.log", "3\n");

        await bench.ReadAsync();

        Assert.Equal(["1", "2 and longer than before", "3"], bench.Bodies());
    }

    [Fact]
    public async Task A_file_that_is_truncated_filled_with_more_than_before_and_renamed_is_read_before_the_one_in_its_place()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.Write("a.log", "1\n");
        await bench.StartAsync();
        await bench.ReadAsync();
        bench.WaitForTheKernelsClock();
        bench.Truncate("a.log");
        bench.Append("a.log", "2 and longer than before\n");
        bench.Rename("a.log", "a.log.1");
        bench.Write("a.log", "3\n");

        await bench.ReadAsync();

        Assert.Equal(["1", "2 and longer than before", "3"], bench.Bodies());
    }

    [Fact]
    public async Task Lost_is_what_was_seen_and_not_taken_before_a_truncation_and_nothing_else()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.Write("a.log", "1\n");
        await bench.StartAsync();
        await bench.ReadAsync();
        bench.Truncate("a.log");
        bench.Append("a.log", "2 and longer than before\n");
        await bench.ReadAsync();
        Assert.Equal(0, Assert.Single(bench.Tailer.Counters).LostFiles);

        bench.Announced = new Limits { LogsPerBatchMax = 0 };
        bench.Append("a.log", "3, for which there is no room\n");
        Assert.Equal(RoundOutcome.Full, await bench.ReadAsync());
        bench.Truncate("a.log");
        Assert.Equal(RoundOutcome.Full, await bench.ReadAsync());
        bench.Announced = null;
        bench.Append("a.log", "4\n");
        await bench.ReadAsync();

        Assert.Equal(["1", "2 and longer than before", "4"], bench.Bodies());
        Assert.Equal(1, Assert.Single(bench.Tailer.Counters).LostFiles);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_not_read_before_a_copytruncate_is_read_from_the_copy(bool isDown)
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.Write("a.log", "1\n");
        await bench.StartAsync();
        await bench.ReadAsync();
        if (isDown)
        {
            await bench.StopAsync();
        }

        bench.Append("a.log", "2\n");
        File.Copy(bench.At("a.log"), bench.At("a.log.1"));
        bench.Truncate("a.log");
        bench.Append("a.log", "3\n");
        if (isDown)
        {
            await bench.StartAsync();
        }

        await bench.ReadAsync();
        await bench.ReadAsync(seconds: 120);
        await bench.RestartAsync();
        await bench.ReadAsync();

        Assert.Equal(["1", "2", "3"], bench.Bodies());
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    public async Task Copytruncate_more_than_once_while_nobody_looks_loses_nothing(bool isDown, int taken)
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.Write("a.log", "");
        await bench.StartAsync();
        await bench.ReadAsync();
        bench.WaitForTheKernelsClock();
        for (var i = 0; i < taken; i++)
        {
            bench.Append("a.log", $"taken {i}\n");
            await bench.ReadAsync();
        }

        if (isDown)
        {
            await bench.StopAsync();
        }

        for (var i = 1; i <= 3; i++)
        {
            bench.Append("a.log", $"{i}\n{i}+\n");
            CopyTruncate(bench);
        }

        bench.Append("a.log", "4\n");
        if (isDown)
        {
            await bench.StartAsync();
        }

        await bench.ReadAsync();
        await bench.ReadAsync(seconds: 120);
        await bench.RestartAsync();
        bench.Append("a.log", "5\n");
        await bench.ReadAsync();

        Assert.Equal([.. Enumerable.Range(0, taken).Select(i => $"taken {i}"), "1", "1+", "2", "2+", "3", "3+", "4", "5"], bench.Bodies());
    }

    [Fact]
    public async Task A_copy_of_what_was_taken_is_not_read_after_a_later_truncation()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.Write("a.log", "1\n2\n");
        await bench.StartAsync();
        await bench.ReadAsync();
        File.Copy(bench.At("a.log"), bench.At("a.log.bak"));
        bench.WaitForTheKernelsClock();
        bench.Append("a.log", "3\n");
        await bench.ReadAsync();
        bench.Truncate("a.log");
        await bench.ReadAsync();
        bench.Append("a.log", "4\n");

        await bench.ReadAsync();
        await bench.ReadAsync(seconds: 120);

        Assert.Equal(["1", "2", "3", "4"], bench.Bodies());
    }

    [Fact]
    public async Task A_copy_in_the_making_is_not_taken_for_what_the_file_held_before()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log*");
        bench.Write("a.log", "");
        await bench.StartAsync();
        await bench.ReadAsync();
        bench.Append("a.log", "1\n2\n3\n");
        bench.Write("a.log.1", "1\n2");
        await bench.ReadAsync();
        bench.Append("a.log.1", "\n3\n");
        await bench.ReadAsync();
        bench.Truncate("a.log");
        bench.Append("a.log", "4\n");

        await bench.ReadAsync();

        Assert.Equal(["1", "2", "3", "4"], bench.Bodies());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_symbolic_link_led_to_is_read_to_its_end_when_it_leads_elsewhere(bool isDown)
    {
        await using var bench = new TailBench();
        Directory.CreateDirectory(bench.At("data"));
        bench.AddInput("a.log");
        bench.Write("data/1.txt", "1\n");
        File.CreateSymbolicLink(bench.At("a.log"), bench.At("data/1.txt"));
        await bench.StartAsync();
        await bench.ReadAsync();
        if (isDown)
        {
            await bench.StopAsync();
        }

        bench.Append("data/1.txt", "2\n");
        bench.Write("data/2.txt", "3\n");
        File.Delete(bench.At("a.log"));
        File.CreateSymbolicLink(bench.At("a.log"), bench.At("data/2.txt"));
        if (isDown)
        {
            await bench.StartAsync();
        }

        await bench.ReadAsync();

        Assert.Equal(["1", "2", "3"], bench.Bodies());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_file_behind_a_symbolic_link_may_be_rotated_where_it_is(bool isDown)
    {
        await using var bench = new TailBench();
        Directory.CreateDirectory(bench.At("data"));
        bench.AddInput("a.log");
        bench.Write("data/real.log", "1\n");
        File.CreateSymbolicLink(bench.At("a.log"), bench.At("data/real.log"));
        await bench.StartAsync();
        await bench.ReadAsync();
        if (isDown)
        {
            await bench.StopAsync();
        }

        for (var i = 2; i < 5; i++)
        {
            bench.Append("data/real.log", $"{i}\n");
            Rotate(bench, "data/real.log");
        }

        bench.Write("data/real.log", "5\n");
        if (isDown)
        {
            await bench.StartAsync();
        }

        await bench.ReadAsync();

        Assert.Equal(["1", "2", "3", "4", "5"], bench.Bodies());
    }

    [Fact]
    public async Task A_file_that_begins_as_it_did_and_is_another_one_is_told_by_what_was_taken_last()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        var banner = string.Concat(Enumerable.Range(0, 100).Select(i => $"banner line {i}\n"));
        bench.Write("a.log", banner + "1\n");
        await bench.StartAsync();
        await bench.ReadAsync();
        bench.Truncate("a.log");
        bench.Append("a.log", banner + "2 and more\n3\n");

        await bench.ReadAsync();

        Assert.Equal(["1", "2 and more", "3"], bench.Bodies().Where(body => !body.StartsWith("banner", StringComparison.Ordinal)));
        Assert.Equal(203, bench.Bodies().Count);
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

    [Theory]
    [InlineData("", "3\n4\n")]
    [InlineData("2\n", "4\n")]
    public async Task Files_on_inodes_of_older_ones_are_read_in_their_own_order(string second, string third)
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.Write("a.log", "1\n");
        await bench.StartAsync();
        await bench.ReadAsync();
        Rotate(bench);
        bench.Write("a.log", second);
        await bench.ReadAsync();
        await bench.StopAsync();

        // What was a.log.1 goes, and the file that comes now has its inode nearly always: nobody holds it open any more.
        bench.Append("a.log", second.Length == 0 ? "2\n" : "3\n");
        File.Delete(bench.At("a.log.1"));
        Rotate(bench);
        bench.Write("a.log", third);
        await bench.StartAsync();
        await bench.ReadAsync();
        await bench.RestartAsync();
        await bench.ReadAsync();

        Assert.Equal(["1", "2", "3", "4"], bench.Bodies());
    }

    [Fact]
    public async Task A_copy_on_the_inode_of_an_older_copy_is_read_on_from_where_the_file_was_taken()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.Write("a.log", "1\n");
        await bench.StartAsync();
        await bench.ReadAsync();
        bench.WaitForTheKernelsClock();
        bench.Append("a.log", "2\n");
        CopyTruncate(bench);
        bench.Append("a.log", "3\n");
        await bench.ReadAsync();
        await bench.StopAsync();

        bench.Append("a.log", "4\n");
        File.Delete(bench.At("a.log.1"));
        CopyTruncate(bench);
        bench.Append("a.log", "5\n");
        await bench.StartAsync();
        await bench.ReadAsync();
        await bench.RestartAsync();
        await bench.ReadAsync();

        Assert.Equal(["1", "2", "3", "4", "5"], bench.Bodies());
    }

    [Fact]
    public async Task A_copy_that_the_pattern_meets_too_is_not_read_twice()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log*");
        var old = string.Concat(Enumerable.Range(0, 200).Select(i => $"line {i}\n"));
        bench.Write("a.log", old);
        await bench.StartAsync();
        await bench.ReadAsync();
        File.Copy(bench.At("a.log"), bench.At("a.log.1"));
        await bench.ReadAsync();
        bench.Truncate("a.log");
        bench.Append("a.log", "new\n");

        await bench.ReadAsync();
        await bench.RestartAsync();
        await bench.ReadAsync();

        Assert.Equal([.. old.Split('\n', StringSplitOptions.RemoveEmptyEntries), "new"], bench.Bodies());
    }

    [Fact]
    public async Task A_file_that_begins_as_a_longer_one_does_is_a_log_of_its_own()
    {
        await using var bench = new TailBench();
        bench.AddInput("*.log");
        var banner = string.Concat(Enumerable.Range(0, 100).Select(i => $"what every log of the program begins with, {i}\n"));
        bench.Write("a.log", banner + string.Concat(Enumerable.Range(0, 100).Select(i => $"of a {i}\n")));
        await bench.StartAsync();
        await bench.ReadAsync();
        bench.Take();
        bench.Write("new", banner + "of b\n");
        bench.Rename("new", "b.log");

        await bench.ReadAsync();

        Assert.Equal(101, bench.Bodies().Count);
        Assert.Equal("of b", bench.Bodies()[^1]);
    }

    [Fact]
    public async Task A_hole_that_a_writer_leaves_behind_truncation_is_passed_over_and_other_zeros_are_kept()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.Write("a.log", "\0kept\0\n");
        await bench.StartAsync();
        await bench.ReadAsync();
        bench.Truncate("a.log");
        using (var file = new FileStream(bench.At("a.log"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.Position = 300_000;
            file.Write("after the hole\n"u8);
        }

        await bench.ReadAsync();

        Assert.Equal(["\0kept\0", "after the hole"], bench.Bodies());
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
    public async Task A_file_that_is_deleted_and_made_anew_is_another_file()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.Write("a.log", "1\n");
        await bench.StartAsync();
        await bench.ReadAsync();
        bench.Append("a.log", "2\n");
        File.Delete(bench.At("a.log"));
        bench.Write("a.log", "3\n");

        await bench.ReadAsync();

        Assert.Equal(["1", "2", "3"], bench.Bodies());
    }

    [Fact]
    public async Task An_inode_that_another_file_has_now_does_not_pass_for_the_old_one()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.Write("a.log", "1\n2\n");
        await bench.StartAsync();
        await bench.ReadAsync();
        await bench.StopAsync();

        // The same inode with other content is what a new file on a used inode looks like.
        bench.Truncate("a.log");
        bench.Append("a.log", "x\ny\nz\n");
        await bench.StartAsync();
        await bench.ReadAsync();

        Assert.Equal(["1", "2", "x", "y", "z"], bench.Bodies());
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
    public async Task A_file_is_followed_once_however_many_names_lead_to_it()
    {
        await using var bench = new TailBench();
        bench.AddInput("*.log");
        bench.Write("real.txt", "1\n");
        File.CreateSymbolicLink(bench.At("a.log"), bench.At("real.txt"));
        File.CreateSymbolicLink(bench.At("b.log"), bench.At("real.txt"));
        await bench.StartAsync();
        await bench.ReadAsync();

        bench.Append("real.txt", "2\n");
        bench.Write("next.txt", "3\n");
        await bench.ReadAsync();
        File.Delete(bench.At("a.log"));
        File.CreateSymbolicLink(bench.At("a.log"), bench.At("next.txt"));
        await bench.ReadAsync();

        Assert.Equal(["1", "2", "3"], bench.Bodies());
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

    private static void Rotate(TailBench bench, string name = "a.log")
    {
        ShiftRotations(bench, name);
        bench.Rename(name, $"{name}.1");
        bench.WaitForTheKernelsClock();
    }

    private static void CopyTruncate(TailBench bench)
    {
        ShiftRotations(bench, "a.log");
        File.Copy(bench.At("a.log"), bench.At("a.log.1"));
        bench.Truncate("a.log");
        bench.WaitForTheKernelsClock();
    }

    private static void ShiftRotations(TailBench bench, string name)
    {
        for (var i = 5; i >= 1; i--)
        {
            if (File.Exists(bench.At($"{name}.{i}")))
            {
                bench.Rename($"{name}.{i}", $"{name}.{i + 1}");
            }
        }
    }

    private static LinePattern Pattern(string text) => LinePattern.TryParse(text, out var fault) ?? throw new InvalidOperationException(fault);

    private static async Task<int> RunAsync(string program, string argument)
    {
        using var process = System.Diagnostics.Process.Start(program, [argument]);
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
