using Lm.Agent.Settings;
using Lm.Agent.Tests.Queue;
using Lm.Agent.Upload;
using Lm.Protocol;

namespace Lm.Agent.Tests.Upload;

public sealed class UploaderTests : IAsyncDisposable
{
    private readonly QueueBench bench = new();
    private readonly ScriptedClient client = new();
    private Uploader uploader = null!;

    public async ValueTask DisposeAsync()
    {
        uploader?.Dispose();
        await bench.DisposeAsync();
    }

    [Fact]
    public async Task The_newest_batch_leaves_first_then_the_backlog_from_the_oldest_on_in_one_request()
    {
        await StartAsync(batches: 4);

        await DrainAsync();

        Assert.Equal([[4], [1, 2, 3]], client.Requests);
        Assert.Equal(0UL, bench.Queue.WaitingCount);
        Assert.Equal(1UL, client.Sent[0].Status.Floor);
        Assert.Equal(4UL, client.Sent[0].Status.Batches);
    }

    [Theory]
    [InlineData(503, "spool_full")]
    [InlineData(401, "unauthorized")]
    public async Task A_failure_that_says_nothing_about_the_batch_moves_nothing_and_is_told_once_each_way(int status, string code)
    {
        await StartAsync(batches: 2);
        client.Answer = _ => ScriptedClient.Refuse(status, code);
        await DrainAsync();
        await DrainAsync();
        Assert.Equal(2UL, bench.Queue.WaitingCount);
        client.Answer = _ => null;

        await DrainAsync();

        Assert.Equal(0UL, bench.Queue.WaitingCount);
        Assert.Equal(1, bench.Logger.CountOf(1400) + bench.Logger.CountOf(1401));
        Assert.Equal(1, bench.Logger.CountOf(1402));
    }

    [Fact]
    public async Task A_lost_answer_sends_the_batch_again_and_duplicate_settles_it()
    {
        await StartAsync(batches: 1);
        client.Answer = _ => new UploadAnswer.Failed("reset", NeedsPerson: false);
        await DrainAsync();
        client.Answer = _ => null;

        await DrainAsync();

        Assert.Equal([[1], [1]], client.Requests);
        Assert.Equal(0UL, bench.Queue.WaitingCount);
    }

    [Fact]
    public async Task Batches_of_a_request_that_had_no_answer_go_one_by_one_next()
    {
        await StartAsync(batches: 4);
        client.Answer = request => request.Batches.Count > 1 ? new UploadAnswer.Failed("reset", NeedsPerson: false) : null;

        await DrainAsync();
        Assert.Equal([[4], [1, 2, 3]], client.Requests);
        await DrainAsync();

        Assert.Equal([[4], [1, 2, 3], [1], [2], [3]], client.Requests);
        Assert.Equal(0UL, bench.Queue.WaitingCount);
    }

    [Fact]
    public async Task A_certificate_at_fault_is_told_as_an_error_also_when_another_failure_came_first()
    {
        await StartAsync(batches: 1);
        client.Answer = _ => new UploadAnswer.Failed("refused", NeedsPerson: false);
        await DrainAsync();
        client.Answer = _ => new UploadAnswer.Failed("no CA signed it", NeedsPerson: true);
        await DrainAsync();
        await DrainAsync();
        client.Answer = _ => null;

        await DrainAsync();

        Assert.Equal((1, 1, 1), (bench.Logger.CountOf(1400), bench.Logger.CountOf(1409), bench.Logger.CountOf(1402)));
        Assert.Equal(0UL, bench.Queue.WaitingCount);
    }

    [Theory]
    [InlineData(413, "body_too_large")]
    [InlineData(400, "limit_exceeded")]
    [InlineData(429, "future_timestamp")]
    public async Task A_batch_that_must_wait_is_parked_and_the_others_go_on(int status, string code)
    {
        await StartAsync(batches: 5);
        client.Answer = request => request.Batches.Any(batch => batch.Number.Sequence == 2) ? ScriptedClient.Refuse(status, code) : null;

        await DrainAsync();

        Assert.Equal([2], bench.WaitingIds());
        Assert.Equal(2UL, client.Sent[^1].Status.Floor);
        client.Answer = _ => null;
        await DrainAsync();
        Assert.Equal([2], bench.WaitingIds()); // its time has not come
        bench.Time.Advance(TimeSpan.FromHours(1));
        await DrainAsync();
        Assert.Empty(bench.WaitingIds());
        Assert.Equal(0, uploader.RefusedCount);
    }

    [Fact]
    public async Task Parked_batches_are_tried_again_when_the_collectors_limits_change()
    {
        await StartAsync(batches: 1);
        client.Answer = _ => ScriptedClient.Refuse(400, ProblemCode.LimitExceeded);
        await DrainAsync();
        client.Answer = _ => null;
        await bench.AppendAsync(2);
        await DrainAsync();
        Assert.Equal([1], bench.WaitingIds());
        client.Limits = new Limits { SeriesPerBatchMax = 4096 };
        await bench.AppendAsync(3);

        await DrainAsync();

        Assert.Empty(bench.WaitingIds());
    }

    [Fact]
    public async Task Hours_of_batches_ahead_of_the_collectors_clock_cost_one_probe_at_a_time()
    {
        await StartAsync(batches: 0);
        client.Answer = _ => ScriptedClient.Refuse(429, ProblemCode.FutureTimestamp);
        for (var i = 1; i <= 50; i++)
        {
            await bench.AppendAsync(i);
            await DrainAsync();
        }

        Assert.Equal(50, client.Requests.Count);
        Assert.Equal(1, bench.Logger.CountOf(1403));
        client.Requests.Clear();
        bench.Time.Advance(TimeSpan.FromHours(2));
        await DrainAsync();
        Assert.Equal([[1]], client.Requests);
        client.Answer = _ => null;
        bench.Time.Advance(TimeSpan.FromHours(2));
        await DrainAsync();
        Assert.Equal(0UL, bench.Queue.WaitingCount);
    }

    [Fact]
    public async Task A_malformed_batch_is_set_aside_and_blocks_nothing()
    {
        await StartAsync(batches: 4);
        client.Answer = request => request.Batches[0].Number.Sequence == 1 ? ScriptedClient.Refuse(400, ProblemCode.MalformedBatch) : null;

        await DrainAsync();

        Assert.Equal(1, uploader.RefusedCount);
        Assert.Equal(0UL, bench.Queue.WaitingCount);
        Assert.Single(bench.Files.List(QueueBench.Directory + "/rejected"));
        Assert.Equal(1UL, bench.Queue.Counters.Rejected);
    }

    [Fact]
    public async Task Outcomes_inside_a_200_decide_frame_by_frame()
    {
        await StartAsync(batches: 6);
        client.AnswerFrame = sequence => sequence switch
        {
            2 => new FrameAck(new SequenceRange(2, 2), FrameOutcome.Refused, 400, ProblemCode.MalformedBatch, "x", 0, 0),
            3 => new FrameAck(new SequenceRange(3, 3), FrameOutcome.Refused, 400, ProblemCode.LimitExceeded, "x", 0, 0),
            4 => new FrameAck(new SequenceRange(4, 4), FrameOutcome.Refused, 503, ProblemCode.SpoolFull, "x", 0, 0),
            _ => null,
        };

        await DrainAsync();

        Assert.Equal([3, 4], bench.WaitingIds());
        Assert.Equal(1, uploader.RefusedCount);
        client.AnswerFrame = _ => null;
        client.Requests.Clear();
        await DrainAsync();
        Assert.Equal([[4]], client.Requests);
    }

    [Fact]
    public async Task A_frame_that_the_answer_does_not_mention_stays()
    {
        await StartAsync(batches: 1);
        client.Answer = _ => new UploadAnswer.Acknowledged(new IngestAck([], new Lm.Platform.UnixMillis(0), new Limits()));

        await DrainAsync();

        Assert.Equal([1], bench.WaitingIds());
    }

    [Fact]
    public async Task A_fork_takes_a_new_queue_id_and_sends_everything_that_waits_under_it()
    {
        await StartAsync(batches: 3);
        var old = bench.Queue.Status().QueueId;
        client.Answer = request => request.Status.QueueId == old ? ScriptedClient.Refuse(409, ProblemCode.SequenceFork) : null;

        await DrainAsync();

        Assert.Equal(0UL, bench.Queue.WaitingCount);
        Assert.NotEqual(old, bench.Queue.Status().QueueId);
        Assert.Equal([1L, 2, 3], client.Sent.Where(request => request.Status.QueueId != old).SelectMany(request => request.Batches).Select(batch => batch.CollectedAt.Value).Order());
    }

    [Fact]
    public async Task A_collector_that_answers_fork_to_everything_makes_one_new_id_not_one_an_answer()
    {
        await StartAsync(batches: 3);
        client.Answer = _ => ScriptedClient.Refuse(409, ProblemCode.SequenceFork);

        await DrainAsync();
        await DrainAsync();

        Assert.Equal(3UL, bench.Queue.WaitingCount);
        Assert.Equal(1, bench.Logger.CountOf(1303));
    }

    [Fact]
    public async Task Settings_that_disagree_are_named_with_both_values()
    {
        await StartAsync(batches: 1);
        client.Limits = new Limits { LogsPerBatchMax = 500 };

        await DrainAsync();

        Assert.Contains(bench.Logger.Events, each => each.Id == 1406
            && each.Message.Contains("max_logs_per_batch of this agent is 1000, ingest.max_logs_per_batch of the collector is 500", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Announced_limits_below_what_every_collector_takes_are_not_believed()
    {
        await StartAsync(batches: 1);
        client.Limits = new Limits { SeriesPerBatchMax = 0, SamplesPerBatchMax = -1, LabelsPerSeriesMax = 0, LabelKeyBytesMax = 1, LabelValueBytesMax = 0, BatchBytesMax = 1, BodyBytesMax = 0, LogMessageBytesMax = 0, LogsPerBatchMax = 0 };

        await DrainAsync();

        var believed = uploader.AnnouncedLimits!;
        Assert.Equal((107, 107, 4, 14, 64), (believed.SeriesPerBatchMax, believed.SamplesPerBatchMax, believed.LabelsPerSeriesMax, believed.LabelKeyBytesMax, believed.LabelValueBytesMax));
        Assert.Equal((65_536, 65_536, 1, 0), (believed.BatchBytesMax, believed.BodyBytesMax, believed.LogMessageBytesMax, believed.LogsPerBatchMax));
    }

    [Fact]
    public async Task The_loop_waits_out_a_failure_whatever_new_batches_come_and_stops_when_told()
    {
        await StartAsync(batches: 1);
        client.Answer = _ => ScriptedClient.Refuse(503, ProblemCode.SpoolFull, TimeSpan.FromSeconds(20));
        using var stopping = new CancellationTokenSource();
        var run = uploader.RunAsync(stopping.Token, CancellationToken.None);
        await WaitForTimerAsync();
        await bench.AppendAsync(2);
        uploader.Wake();
        bench.Time.Advance(TimeSpan.FromSeconds(19));
        Assert.Single(client.Requests);
        client.Answer = _ => null;
        bench.Time.Advance(TimeSpan.FromSeconds(5));
        await WaitUntilAsync(() => bench.Queue.WaitingCount == 0);

        Assert.Equal([[1], [2], [1]], client.Requests);
        await stopping.CancelAsync();
        await run;
    }

    [Fact]
    public async Task New_settings_end_the_wait_that_the_old_ones_brought()
    {
        await StartAsync(batches: 1);
        client.Answer = _ => ScriptedClient.Refuse(401, ProblemCode.Unauthorized);
        using var stopping = new CancellationTokenSource();
        var run = uploader.RunAsync(stopping.Token, CancellationToken.None);
        await WaitForTimerAsync();
        var better = new ScriptedClient();

        uploader.Replace(new UploadEndpoint(Settings(), better));
        await WaitUntilAsync(() => bench.Queue.WaitingCount == 0);

        Assert.True(client.IsDisposed);
        Assert.Equal([[1]], better.Requests);
        await stopping.CancelAsync();
        await run;
    }

    private async Task StartAsync(int batches)
    {
        await bench.OpenAsync();
        for (var i = 1; i <= batches; i++)
        {
            await bench.AppendAsync(i);
        }

        uploader = new Uploader(bench.Queue, new UploadEndpoint(Settings(), client), bench.Time, bench.Logger, () => 0.5);
    }

    private Task DrainAsync() => uploader.DrainAsync(attemptsMax: 1, () => { }, TestContext.Current.CancellationToken);

    private Task WaitForTimerAsync() => WaitUntilAsync(() => bench.Time.TimerCount > 0);

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static AgentSettings Settings() => new()
    {
        AgentId = "a1",
        IngestUrl = new Uri("https://collector.test:18443"),
        Token = new Secret("t"),
        Tls = new TlsMaterial { Roots = null, ClientCertificate = null, ClientChain = [] },
        QueueDirectory = QueueBench.Directory,
        QueueBytesMax = 1 << 20,
        Interval = TimeSpan.FromSeconds(1),
        ShutdownTimeout = TimeSpan.FromSeconds(1),
        LogsPerBatchMax = 1000,
        LogMessageBytesMax = 16_384,
        AlertsPerBatchMax = 1,
        Labels = [],
        LogInputs = [],
    };
}
