using Lm.Agent.LogTail;
using Lm.Protocol;

namespace Lm.Agent.Tests.LogTail;

/// <summary>Files that are truncated and filled again, and the copies that were made of them before.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class TruncationTests
{
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
            bench.CopyTruncate();
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
    public async Task A_copy_on_the_inode_of_an_older_copy_is_read_on_from_where_the_file_was_taken()
    {
        await using var bench = new TailBench();
        bench.AddInput("a.log");
        bench.Write("a.log", "1\n");
        await bench.StartAsync();
        await bench.ReadAsync();
        bench.WaitForTheKernelsClock();
        bench.Append("a.log", "2\n");
        bench.CopyTruncate();
        bench.Append("a.log", "3\n");
        await bench.ReadAsync();
        await bench.StopAsync();

        bench.Append("a.log", "4\n");
        File.Delete(bench.At("a.log.1"));
        bench.CopyTruncate();
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
}
