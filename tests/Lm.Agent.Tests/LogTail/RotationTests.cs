namespace Lm.Agent.Tests.LogTail;

/// <summary>Files that are renamed, deleted and made anew, and links that are turned: nothing is lost, doubled, or out of order.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class RotationTests
{
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
        bench.Rotate();
        bench.Write("a.log", "3\n");
        bench.Rotate();
        bench.Write("a.log", "4\n");
        bench.Rotate();
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
            bench.Rotate();
            bench.Write("a.log", $"{i}\n");
        }

        await bench.ReadAsync();

        Assert.Equal(["1", "2", "3", "4", "5"], bench.Bodies());
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
            bench.Rotate("data/real.log");
        }

        bench.Write("data/real.log", "5\n");
        if (isDown)
        {
            await bench.StartAsync();
        }

        await bench.ReadAsync();

        Assert.Equal(["1", "2", "3", "4", "5"], bench.Bodies());
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
        bench.Rotate();
        bench.Write("a.log", second);
        await bench.ReadAsync();
        await bench.StopAsync();

        // What was a.log.1 goes, and the file that comes now has its inode nearly always: nobody holds it open any more.
        bench.Append("a.log", second.Length == 0 ? "2\n" : "3\n");
        File.Delete(bench.At("a.log.1"));
        bench.Rotate();
        bench.Write("a.log", third);
        await bench.StartAsync();
        await bench.ReadAsync();
        await bench.RestartAsync();
        await bench.ReadAsync();

        Assert.Equal(["1", "2", "3", "4"], bench.Bodies());
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
}
