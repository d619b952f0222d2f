using System.Globalization;
using Lm.Platform;
using Lm.TestKit;
using Lm.Tsdb.Head;
using SeriesHead = Lm.Tsdb.Head.Head;

namespace Lm.Tsdb.Tests.Head;

public sealed class HeadTests
{
    private const long Now = 1_767_326_400_000;

    [Fact]
    public void Outcomes_say_what_became_of_a_sample()
    {
        var machine = new HeadMachine(new MemoryFileSystem());
        var now = machine.Now;

        var outcomes = machine.Append(
            new(1, now, 5), new(1, now, 5), new(1, now, 6), new(1, now - 1000, 1), new(1, now - 1000, 1), new(1, now - (11 * 86_400_000L), 1), new(1, now + (27 * 3_600_000L), 1));

        Assert.Equal(
            [
                AppendOutcome.Added, AppendOutcome.Repeated, AppendOutcome.Conflicting, AppendOutcome.Added, AppendOutcome.Repeated, AppendOutcome.TooOld,
                AppendOutcome.TooFarAhead,
            ],
            outcomes);
    }

    [Fact]
    public void Nothing_is_replayed_that_a_checkpoint_covers()
    {
        var machine = new HeadMachine(new MemoryFileSystem());
        Fill(machine, 300);
        machine.Checkpoint();
        Fill(machine, 10);

        machine.Restart(machine.Files.Kill());

        Assert.Equal(new CommitPosition(0, 300), machine.Opening.ReplayFrom);
        Assert.Equal("", machine.Difference());
        Assert.Equal(10 * 4, machine.Head.Statistics().SamplesAdded);
    }

    [Fact]
    public void A_replay_of_what_the_files_hold_already_is_recognised_sample_by_sample()
    {
        var machine = new HeadMachine(new MemoryFileSystem());
        Fill(machine, 300);
        machine.Checkpoint();
        var before = machine.Head.Statistics().Samples;
        using (machine.Head.EnterBatch(new UnixMillis(machine.Now)))
        {
            foreach (var batch in machine.Log)
            {
                foreach (var (series, time, value) in batch.Samples)
                {
                    Assert.Equal(AppendOutcome.Repeated, machine.Head.Append(machine.Head.FindOrAdd(HeadMachine.LabelsOf(series)), time, value));
                }
            }
        }

        Assert.Equal(before, machine.Head.Statistics().Samples);
    }

    [Fact]
    public void A_window_is_due_an_hour_after_its_end_and_late_samples_once_in_six_hours()
    {
        var machine = new HeadMachine(new MemoryFileSystem());
        Fill(machine, 10);
        Assert.Empty(machine.Head.DueRanges());
        machine.Advance(TimeSpan.FromHours(2));
        Assert.False(Assert.Single(machine.Head.DueRanges()).IsLate);
        machine.WriteBlocks(dueOnly: true);

        machine.Append(new HeadMachine.Sample(1, machine.Now - (5 * 86_400_000L), 1));
        Assert.Empty(machine.Head.DueRanges());
        machine.Advance(TimeSpan.FromHours(2));
        Assert.True(Assert.Single(machine.Head.DueRanges()).IsLate);
        machine.WriteBlocks(dueOnly: true);
        Assert.Equal(2, machine.Blocks.Count);

        machine.Append(new HeadMachine.Sample(1, machine.Now - (5 * 86_400_000L) + 60_000, 1));
        machine.Advance(TimeSpan.FromHours(3));
        Assert.Empty(machine.Head.DueRanges());
        machine.Advance(TimeSpan.FromHours(3));
        Assert.True(Assert.Single(machine.Head.DueRanges()).IsLate);
    }

    [Fact]
    public void Late_samples_that_a_block_holds_are_not_written_again()
    {
        var machine = new HeadMachine(new MemoryFileSystem());
        Fill(machine, 200);
        machine.Advance(TimeSpan.FromHours(3));
        machine.WriteBlocks(dueOnly: true);
        var inBlocks = machine.SamplesInBlocks();

        machine.Append([.. machine.Log[3].Samples, new HeadMachine.Sample(1, machine.Log[3].Samples[0].Time + 1, 7)]);
        machine.Advance(TimeSpan.FromHours(3));
        machine.WriteBlocks(dueOnly: true);

        Assert.Equal(inBlocks + 1, machine.SamplesInBlocks());
        Assert.Equal("", machine.Difference());
        Assert.Equal(0, machine.Head.Statistics().Windows);
    }

    [Fact]
    public void K13_a_block_says_up_to_which_record_it_holds_its_windows_and_not_of_those_that_another_window_has_too()
    {
        var machine = new HeadMachine(new MemoryFileSystem());
        Fill(machine, 200);
        var first = machine.Log[0].Samples[0].Time / 3_600_000 * 3_600_000;
        machine.Advance(TimeSpan.FromHours(3));
        machine.WriteBlocks(dueOnly: true, between: () => machine.Append(new HeadMachine.Sample(1, first + 7, 1), new HeadMachine.Sample(1, machine.Now, 1)));

        Assert.All(machine.Blocks, block => Assert.Equal((block.MinTime / 3_600_000 * 3_600_000, (ulong)200), (Assert.Single(block.Coverage).WindowStart, block.Coverage[0].UpTo)));
        Assert.All(machine.Blocks, block => Assert.Equal((3_600_000L, UInt128.Parse("00112233445566778899aabbccddeeff", System.Globalization.NumberStyles.HexNumber, null)), (block.Coverage[0].WindowEnd - block.Coverage[0].WindowStart, block.Coverage[0].Incarnation)));
        var before = machine.Blocks.Count;
        machine.Advance(TimeSpan.FromHours(7));
        machine.WriteBlocks(dueOnly: true);
        var late = machine.Blocks.Where(block => block.IsLate).ToArray();
        Assert.True(machine.Blocks.Count > before);
        Assert.Equal([(first, 201UL)], late.SelectMany(block => block.Coverage).Select(each => (each.WindowStart, each.UpTo)));
    }

    [Fact]
    public void Late_windows_leave_memory_when_they_take_more_than_their_budget_and_come_back_for_a_sample()
    {
        var machine = new HeadMachine(new MemoryFileSystem());
        for (var day = 0; day < 9; day++)
        {
            machine.Append([.. Enumerable.Range(0, 200).Select(i => new HeadMachine.Sample(i % 5, machine.Now - (day * 86_400_000L) - 3_600_000 + (i * 1000), i))]);
        }

        machine.Head.Maintain();

        var statistics = machine.Head.Statistics();
        Assert.InRange(statistics.WindowsSpilled, 4, 9);
        Assert.InRange(statistics.LateBytes, 0, 900_000); // the two newest windows are not in the budget
        Assert.Equal("", machine.Difference());
        machine.Append(new HeadMachine.Sample(2, machine.Now - (8 * 86_400_000L) - 3_600_000 + 500, 1));
        Assert.Equal("", machine.Difference());
    }

    [Fact]
    public void Series_go_when_no_window_holds_them_and_their_numbers_wait_for_readers()
    {
        var machine = new HeadMachine(new MemoryFileSystem());
        Fill(machine, 10);
        machine.Append(new HeadMachine.Sample(7, machine.Now, 1));
        using var reader = machine.Head.Find([LabelMatcher.Equal("host", "web-7")], 0, long.MaxValue, CancellationToken.None);
        machine.Advance(TimeSpan.FromHours(3));
        machine.WriteBlocks(dueOnly: true);
        Fill(machine, 1);
        var generation = machine.Head.RemovalGeneration;

        machine.Head.Maintain();
        Assert.NotEqual(generation, machine.Head.RemovalGeneration);
        Fill(machine, 1);
        for (var i = 0; i < 5; i++)
        {
            machine.Head.Maintain();
            machine.Append(new HeadMachine.Sample(20 + i, machine.Now, 1));
        }

        Assert.Equal("web-7", reader.Labels(0).ValueOf("host"));
        var buffer = new SampleBuffer();
        reader.Read(0, 0, long.MaxValue, buffer);
        Assert.Equal(1, buffer.Count);
        reader.Dispose();
        for (var i = 0; i < 5; i++)
        {
            machine.Head.Maintain();
            machine.Append(new HeadMachine.Sample(30 + i, machine.Now, 1));
        }

        Assert.Equal("", machine.Difference());
        machine.Checkpoint();
        machine.Restart(machine.Files.Kill());
        Assert.Equal("", machine.Difference());
    }

    [Fact]
    public void Matchers_find_what_a_look_at_every_series_finds()
    {
        var machine = new HeadMachine(new MemoryFileSystem());
        machine.Append([.. Enumerable.Range(0, 40).Select(series => new HeadMachine.Sample(series, machine.Now, 1))]);
        (MatchKind, string, string)[] conditions =
        [
            (MatchKind.Equal, "__name__", "load"), (MatchKind.NotEqual, "__name__", "load"), (MatchKind.Regex, "host", "web-1.*"), (MatchKind.Regex, "host", "web-1|web-2|none"),
            (MatchKind.NotRegex, "host", "web-1.*"), (MatchKind.NotRegex, "host", "web-1|web-2"), (MatchKind.Equal, "none", ""), (MatchKind.NotEqual, "none", ""),
            (MatchKind.Regex, "zone", "1|2"), (MatchKind.Regex, "zone", ".*"), (MatchKind.Regex, "zone", ".+"), (MatchKind.Equal, "zone", ""), (MatchKind.Regex, "none", "a?"),
        ];
        foreach (var first in conditions)
        {
            foreach (var second in conditions)
            {
                LabelMatcher[] matchers = [Matcher(first), Matcher(second)];
                using var found = machine.Head.Find(matchers, 0, long.MaxValue, CancellationToken.None);
                var expected = Enumerable.Range(0, 40).Select(HeadMachine.LabelsOf).Where(labels => matchers.All(matcher => matcher.Matches(labels.ValueOf(matcher.Name))));
                Assert.Equal(
                    expected.Select(labels => labels.ToString()).Order(StringComparer.Ordinal),
                    Enumerable.Range(0, found.Count).Select(i => found.Labels(i).ToString()).Order(StringComparer.Ordinal));
            }
        }

        Assert.Equal(["__name__", "host", "zone"], machine.Head.LabelNames([], 0, long.MaxValue, CancellationToken.None));
        Assert.Equal(["0", "1", "2"], machine.Head.LabelValues("zone", [], 0, long.MaxValue, CancellationToken.None));
        Assert.Equal(["web-0", "web-12", "web-18", "web-24", "web-30", "web-36", "web-6"], machine.Head.LabelValues("host", [LabelMatcher.Equal("zone", "0"), LabelMatcher.Equal("__name__", "load")], 0, long.MaxValue, CancellationToken.None));
        Assert.Empty(machine.Head.LabelNames([], 0, 1000, CancellationToken.None));
    }

    [Fact]
    public async Task Readers_beside_the_writer_see_each_series_without_gaps_and_each_row_whole()
    {
        var files = new MemoryFileSystem();
        var options = new HeadOptions { Directory = "/head", Incarnation = Guid.Empty, BlockHours = 1 };
        using var head = SeriesHead.Open(files, options, out _);
        using var done = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 2).Select(_ => Task.Run(() => ReadUntil(head, done.Token), TestContext.Current.CancellationToken)).ToArray();

        Write(head, batches: 1_500);

        await done.CancelAsync();
        foreach (var reads in await Task.WhenAll(readers))
        {
            Assert.True(reads > 0);
        }

        Assert.Equal(1_500, ReadAll(head));
    }

    private static void Write(SeriesHead head, int batches)
    {
        HeadRows? rows = null;
        for (var i = 0; i < batches; i++)
        {
            var time = Now + (i * 15_000L);
            using (head.EnterBatch(new UnixMillis(time)))
            {
                rows ??= head.TryClaim([.. Enumerable.Range(0, 20).Select(series => head.FindOrAdd(HeadMachine.LabelsOf(series)))]);
                for (var series = 0; series < 20; series++)
                {
                    rows!.Next[series] = (i * 100) + series;
                }

                Assert.True(head.TryAppendRow(rows!, time));
            }

            if (i % 100 == 99)
            {
                head.Checkpoint(new CommitPosition(0, i));
                head.Maintain();
            }
        }
    }

    private static int ReadUntil(SeriesHead head, CancellationToken done)
    {
        var reads = 0;
        do
        {
            ReadAll(head);
            reads++;
        }
        while (!done.IsCancellationRequested);
        return reads;
    }

    private static int ReadAll(SeriesHead head)
    {
        using var found = head.Find([], long.MinValue, long.MaxValue, CancellationToken.None);
        var buffer = new SampleBuffer();
        var least = found.Count == 0 ? 0 : int.MaxValue;
        for (var i = 0; i < found.Count; i++)
        {
            var series = int.Parse(found.Labels(i).ValueOf("host").AsSpan(4), CultureInfo.InvariantCulture);
            buffer.Clear();
            found.Read(i, long.MinValue, long.MaxValue, buffer);
            for (var at = 0; at < buffer.Count; at++)
            {
                Assert.Equal(Now + (at * 15_000L), buffer.Times[at]);
                Assert.Equal((at * 100) + series, buffer.Values[at]);
            }

            least = Math.Min(least, buffer.Count);
        }

        return least;
    }

    private static LabelMatcher Matcher((MatchKind Kind, string Name, string Value) condition)
    {
        Assert.True(LabelMatcher.TryCreate(condition.Kind, condition.Name, condition.Value, out var matcher, out _));
        return matcher!;
    }

    private static void Fill(HeadMachine machine, int batches)
    {
        for (var i = 0; i < batches; i++)
        {
            machine.Advance(TimeSpan.FromMilliseconds(HeadMachine.Interval));
            machine.Append([.. Enumerable.Range(0, 4).Select(series => new HeadMachine.Sample(series, machine.Now, i))]);
        }
    }
}
