using System.Text.Json;
using Lm.Collector.Agents;
using Lm.Collector.Spool;
using Lm.Collector.Tests.Ingest;
using Lm.TestKit;

namespace Lm.Collector.Tests.Agents;

public sealed class UpWriterTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15); // what the batches of these tests carry

    [Fact]
    public async Task It_is_1_while_batches_come_and_0_after_four_missed_intervals_at_aligned_times()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1);
        await rig.AppliedAsync();
        await PassAsync(rig, 7);
        var samples = await UpOf(rig);
        Assert.All(samples, sample => Assert.Equal(0, sample.Time % 15_000));
        Assert.Equal([1, 1, 1, 1, 0, 0, 0], samples.Select(sample => sample.Value));
        Assert.Equal(["{__name__=\"up\", instance=\"a1\", job=\"lightmetrics\"}"], rig.Store.All().Names());

        await rig.SendAsync(2);
        await rig.AppliedAsync();
        await PassAsync(rig, 1);
        Assert.Equal(1, (await UpOf(rig))[^1].Value);
    }

    [Fact]
    public async Task A_time_is_written_once_however_often_it_looks()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1);
        await rig.AppliedAsync();
        for (var i = 0; i < 45; i++)
        {
            await rig.Ups.WriteDueAsync();
            rig.Time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.InRange((await UpOf(rig)).Length, 3, 4);
        Assert.Equal(0, rig.Store.Statistics().SamplesRepeated + rig.Store.Statistics().SamplesConflicting);
    }

    [Fact]
    public async Task It_survives_a_restart_after_which_a_silent_agent_is_0_only_four_intervals_later()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1);
        await rig.AppliedAsync();
        await PassAsync(rig, 2);
        var before = await UpOf(rig);
        rig.Time.Advance(TimeSpan.FromHours(1));

        await using var later = rig.AfterPowerCut(1);
        Assert.Equal(before, await UpOf(later));
        await PassAsync(later, 4);
        Assert.Equal(before, await UpOf(later)); // nobody knows yet
        await PassAsync(later, 2);
        Assert.Equal([.. before.Select(sample => sample.Value), 0, 0], (await UpOf(later)).Select(sample => sample.Value));
    }

    [Fact]
    public async Task After_a_restart_an_agent_that_calls_is_1_at_once_and_no_time_is_written_again()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1);
        await rig.AppliedAsync();
        await rig.Ups.WriteDueAsync();
        Assert.Single(await UpOf(rig));
        await using var later = rig.AfterKill();
        await later.SendAsync(2);
        await later.AppliedAsync();
        await later.Ups.WriteDueAsync();
        Assert.Single(await UpOf(later));
        await PassAsync(later, 1);
        Assert.Equal([1, 1], (await UpOf(later)).Select(sample => sample.Value));
    }

    [Fact]
    public async Task Once_batches_are_taken_again_silence_counts_from_there()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1);
        await rig.AppliedAsync();
        rig.Time.Advance(TimeSpan.FromMinutes(10)); // in which none could come
        rig.Ups.Start();

        await PassAsync(rig, 3);
        Assert.Empty(await UpOf(rig));
        await PassAsync(rig, 3);
        Assert.All(await UpOf(rig), static sample => Assert.Equal(0, sample.Value));
        Assert.NotEmpty(await UpOf(rig));
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_a_sample_that_nobody_takes()
    {
        var time = new ManualTime();
        var (asked, never) = (new TaskCompletionSource(), new TaskCompletionSource<SpoolResult>());
        var writer = new UpWriter(time, static _ => true, _ =>
        {
            asked.TrySetResult();
            return new ValueTask<SpoolResult>(never.Task);
        });
        using var state = JsonDocument.Parse("""[{"agent_id":"a1","interval_ms":15000}]""");
        writer.Read(state.RootElement);
        writer.Start();
        time.Advance(TimeSpan.FromHours(1));
        using var stopping = new CancellationTokenSource();

        var running = writer.RunAsync(stopping.Token);
        time.Advance(UpWriter.Tick);
        await asked.Task.WaitAsync(TestContext.Current.CancellationToken);
        await stopping.CancelAsync();

        await running.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task It_ends_with_the_agents_token_without_a_marker()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1);
        await rig.AppliedAsync();
        await PassAsync(rig, 2);
        rig.Settings = IngestRig.SettingsOf(new Lm.Protocol.Limits());
        await PassAsync(rig, 6);
        Assert.Equal([1, 1], (await UpOf(rig)).Select(sample => sample.Value));
    }

    [Fact]
    public async Task A_clock_that_ran_ahead_for_a_while_does_not_silence_it_and_a_small_step_back_writes_no_time_again()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1);
        await rig.AppliedAsync();
        await PassAsync(rig, 1);
        rig.Time.JumpWallClock(-TimeSpan.FromSeconds(20));
        await rig.Ups.WriteDueAsync();
        Assert.Single(await UpOf(rig));
        rig.Time.JumpWallClock(TimeSpan.FromDays(400));
        await rig.Ups.WriteDueAsync();
        rig.Time.JumpWallClock(-TimeSpan.FromDays(400));
        await PassAsync(rig, 2);

        // The first time of the first interval, the one 400 days ahead, and two after the clock was right again, of which one was there before.
        Assert.Equal(3, (await UpOf(rig)).Length);
        Assert.Equal((1, 0), (rig.Store.Statistics().SamplesRepeated, rig.Store.Statistics().SamplesConflicting));
    }

    [Fact]
    public async Task While_the_spool_is_full_nothing_is_written_and_then_it_goes_on()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1);
        await rig.AppliedAsync();
        await PassAsync(rig, 1);
        rig.SpoolSizeMax = 0;
        await PassAsync(rig, 1);
        Assert.Single(await UpOf(rig));
        rig.SpoolSizeMax = 1 << 30;
        await rig.Ups.WriteDueAsync();
        Assert.Equal(2, (await UpOf(rig)).Length);
    }

    [Fact]
    public async Task The_loop_writes_by_the_clock_until_it_is_stopped()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1);
        await rig.AppliedAsync();
        using var stopping = new CancellationTokenSource();
        var running = rig.Ups.RunAsync(stopping.Token);
        while (rig.SpoolMetrics.RecordsCommitted < 2)
        {
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await stopping.CancelAsync();
        await running;
        Assert.NotEmpty(await UpOf(rig));
    }

    private static async Task PassAsync(IngestRig rig, int intervals)
    {
        for (var i = 0; i < intervals; i++)
        {
            rig.Time.Advance(Interval);
            await rig.Ups.WriteDueAsync();
        }
    }

    private static async Task<(long Time, double Value)[]> UpOf(IngestRig rig)
    {
        await rig.AppliedAsync();
        var found = rig.Store.All();
        return found.Count == 0 ? [] : found.Samples(0);
    }
}
