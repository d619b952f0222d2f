using Lm.Platform.Files;
using Lm.TestKit;

namespace Lm.Tsdb.Tests.Head;

/// <summary>Each call to the file system fails once, or is the last one before the power goes.</summary>
public sealed class HeadFaultTests
{
    [Fact]
    public void After_a_power_cut_at_any_call_all_that_was_committed_is_there_once()
    {
        var calls = CallsOf(Scenario);
        Assert.InRange(calls, 100, 5_000);
        for (var at = 0; at < calls; at++)
        {
            var machine = new HeadMachine(new MemoryFileSystem(seed: at));
            machine.Files.HaltAt = at + machine.Files.OperationCount;
            Attempt(() => Scenario(machine));
            machine.Files.HaltAt = null;
            machine.Restart(machine.Files.PowerCut(new Random(at)));
            Assert.Empty(machine.Opening.Damage);
            Assert.True(machine.Difference() is "" and var _, $"power cut at call {at}: {machine.Difference()}");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void After_any_call_has_failed_the_next_attempt_completes(bool takesEffect)
    {
        var calls = CallsOf(Scenario);
        for (var at = 0; at < calls; at++)
        {
            var machine = new HeadMachine(new MemoryFileSystem(seed: at));
            var failing = at + machine.Files.OperationCount;
            machine.Files.Fault = operation => operation.Index == failing ? new FileFault(5, takesEffect) : null;
            Attempt(() => Scenario(machine));
            machine.Files.Fault = null;
            machine.WriteBlocks(dueOnly: false);
            machine.Head.Maintain();
            Assert.True(machine.Difference() is "" and var _, $"failure at call {at}: {machine.Difference()}");
            machine.Restart(machine.Files.PowerCut(new Random(at)));
            Assert.Empty(machine.Opening.Damage);
            Assert.True(machine.Difference() is "" and var _, $"failure at call {at}, power cut: {machine.Difference()}");
        }
    }

    [Theory]
    [InlineData("head")]
    [InlineData(".series")]
    [InlineData(".open")]
    [InlineData(".chunks")]
    public void A_damaged_file_is_set_aside_and_the_log_brings_its_samples_back(string kind)
    {
        var machine = new HeadMachine(new MemoryFileSystem());
        Fill(machine);
        machine.Checkpoint();
        machine.Head.Dispose();
        var path = Path.Combine(HeadMachine.HeadFolder, machine.Files.List(HeadMachine.HeadFolder).Last(name => name.EndsWith(kind, StringComparison.Ordinal)));
        machine.Files.Corrupt(path, 20, 0xff);

        machine.Restart(machine.Files.Kill());

        var damage = Assert.Single(machine.Opening.Damage);
        Assert.Contains(path, damage, StringComparison.Ordinal);
        Assert.Contains("set aside", damage, StringComparison.Ordinal);
        Assert.True(machine.Files.Exists(path + ".damaged"));
        Assert.Equal(default, machine.Opening.ReplayFrom);
        Assert.Equal("", machine.Difference());
    }

    [Fact]
    public void A_block_of_a_window_whose_list_of_series_is_damaged_has_the_rest_and_the_files_are_set_aside()
    {
        var machine = new HeadMachine(new MemoryFileSystem());
        var old = machine.Now - (5 * 86_400_000L);
        machine.Append([.. Enumerable.Range(0, 1000).Select(i => new HeadMachine.Sample(i, old, i))]);
        for (var day = 0; day < 4; day++)
        {
            machine.Append([.. Enumerable.Range(0, 3000).Select(i => new HeadMachine.Sample(i, machine.Now - (day * 86_400_000L), i))]);
        }

        machine.Head.Maintain();
        Assert.True(machine.Head.Statistics().WindowsSpilled > 0);
        machine.Checkpoint();
        var path = Path.Combine(HeadMachine.HeadFolder, machine.Files.List(HeadMachine.HeadFolder).First(name => name.EndsWith(".open", StringComparison.Ordinal)));
        machine.Files.Corrupt(path, 20_000, 0xff); // the third frame of 8 KiB

        var range = machine.Head.AllRanges().Single(each => each.From <= old && each.Until >= old);
        var frozen = machine.Head.Freeze(range);
        Assert.NotEmpty(frozen.Coverage);
        var content = machine.WriteOnce(frozen);

        Assert.Equal(1, content.ChunksUnreadable);
        Assert.Contains(path, content.Damage, StringComparison.Ordinal);
        Assert.InRange(content.Samples, 700, 999);
        Assert.Empty(frozen.Coverage);
        machine.Head.Drop(frozen);
        Assert.True(machine.Files.Exists(path + ".damaged"));
        Assert.False(machine.Files.Exists(path));
        Assert.Equal(2, machine.Head.Statistics().FilesSetAside);
        Assert.Empty(machine.Head.Freeze(machine.Head.AllRanges()[0]).Coverage); // what was set aside may have held more of any window
        machine.Head.Dispose();
        machine.Restart(machine.Files.Kill());
        Assert.Empty(machine.Opening.Damage);
        Assert.Equal(2, machine.Head.Statistics().FilesSetAside);
    }

    [Fact]
    public void Whatever_call_fails_while_a_damaged_window_is_let_go_its_files_are_kept()
    {
        for (var at = 0; ; at++)
        {
            var machine = new HeadMachine(new MemoryFileSystem());
            machine.Append([.. Enumerable.Range(0, 1000).Select(i => new HeadMachine.Sample(i, machine.Now - (5 * 86_400_000L), i))]);
            machine.Append([.. Enumerable.Range(0, 9000).Select(i => new HeadMachine.Sample(i % 3000, machine.Now - (i / 3000 * 3_600_000), i))]);
            machine.Head.Maintain();
            machine.Checkpoint();
            var path = Path.Combine(HeadMachine.HeadFolder, machine.Files.List(HeadMachine.HeadFolder).First(name => name.EndsWith(".open", StringComparison.Ordinal)));
            machine.Files.Corrupt(path, 20_000, 0xff);
            var frozen = machine.Head.Freeze(machine.Head.AllRanges()[0]);
            Assert.True(machine.WriteOnce(frozen).ChunksUnreadable > 0);
            var call = machine.Files.OperationCount + at;
            machine.Files.Fault = operation => operation.Index == call ? FileFault.InputOutput : null;
            Attempt(() => machine.Head.Drop(frozen));
            if (machine.Files.OperationCount <= call)
            {
                Assert.True(at > 3, "letting go takes more calls than that");
                return;
            }

            machine.Files.Fault = null;
            machine.Restart(machine.Files.PowerCut(new Random(at)));
            Assert.True(machine.Files.Exists(path) || machine.Files.Exists(path + ".damaged"), $"failure at call {at}");
        }
    }

    [Fact]
    public void A_log_of_another_incarnation_is_replayed_from_its_beginning()
    {
        var machine = new HeadMachine(new MemoryFileSystem());
        Fill(machine);
        machine.Checkpoint();
        machine.Head.Dispose();

        using var head = Lm.Tsdb.Head.Head.Open(
            machine.Files,
            new Lm.Tsdb.Head.HeadOptions { Directory = HeadMachine.HeadFolder, Incarnation = Guid.NewGuid(), BlockHours = 1 },
            out var opening);

        Assert.Equal(default, opening.ReplayFrom);
        Assert.Empty(opening.Damage);
        Assert.True(opening.Windows > 0);
    }

    private static int CallsOf(Action<HeadMachine> scenario)
    {
        var machine = new HeadMachine(new MemoryFileSystem(seed: 0));
        var before = machine.Files.OperationCount;
        scenario(machine);
        Assert.Equal("", machine.Difference());
        return machine.Files.OperationCount - before;
    }

    private static void Attempt(Action act)
    {
        try
        {
            act();
        }
        catch (FileSystemException)
        {
            // The failure that the test asked for.
        }
    }

    private static void Scenario(HeadMachine machine)
    {
        Fill(machine);
        machine.Checkpoint();
        Fill(machine);
        machine.Head.Maintain();
        machine.Checkpoint();
        machine.WriteBlocks(dueOnly: true);
        machine.Append(new HeadMachine.Sample(1, machine.Now - (26 * 3_600_000), 3), new HeadMachine.Sample(9, machine.Now - (3 * 3_600_000), 4));
        machine.Advance(TimeSpan.FromHours(7));
        machine.WriteBlocks(dueOnly: true);
        Fill(machine);
        machine.Head.Maintain();
        machine.Head.Maintain();
        machine.Head.Maintain();
        machine.Checkpoint();
    }

    private static void Fill(HeadMachine machine)
    {
        for (var i = 0; i < 130; i++)
        {
            machine.Advance(TimeSpan.FromSeconds(15));
            machine.Append([.. Enumerable.Range(0, 3).Select(series => new HeadMachine.Sample(series, machine.Now, series * i))]);
        }

        for (var day = 0; day < 5; day++)
        {
            machine.Append([.. Enumerable.Range(0, 40).Select(i => new HeadMachine.Sample(5, machine.Now - (day * 86_400_000L) - (i * 10_000), i))]);
        }
    }
}
