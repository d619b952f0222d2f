using Lm.Agent.Gathering;

namespace Lm.Agent.Tests.Gathering;

public sealed class JobLoopTests
{
    private readonly RecordingLogger logger = new();

    [Fact]
    public async Task Jobs_run_one_at_a_time_and_again_and_again()
    {
        using var first = new FakeJob("first", 5);
        using var second = new FakeJob("second", 5);
        using (new JobLoop([first, second], TimeProvider.System, logger))
        {
            await first.RunsAsync(5);
            await second.RunsAsync(5);
        }

        Assert.Equal(0, first.Overlaps + second.Overlaps);
    }

    [Fact]
    public async Task A_job_that_hangs_ends_with_the_loop()
    {
        using var job = new FakeJob("hanging", 5) { Hangs = true };
        var loop = new JobLoop([job], TimeProvider.System, logger);
        await job.RunsAsync(1);

        loop.Dispose();

        Assert.True(job.WasStopped);
        Assert.Equal(0, logger.CountOf(1600)); // that it was stopped is no failure
    }

    [Fact]
    public async Task A_job_that_does_not_hear_is_left_behind_and_ends_the_loop_when_it_comes_back()
    {
        using var back = new ManualResetEventSlim();
        using var job = new FakeJob("deaf", 5) { Deaf = back };
        var loop = new JobLoop([job], TimeProvider.System, logger, TimeSpan.FromMilliseconds(50));
        await job.RunsAsync(1);

        loop.Dispose(); // comes back

        Assert.StartsWith("The deaf does not end within 50 ms and is left behind", logger.MessageOf(1609), StringComparison.Ordinal);
        back.Set();
        await job.EndsAsync();
        Assert.Equal(0, logger.CountOf(1600));
    }

    [Fact]
    public async Task A_failure_is_told_when_it_begins_and_when_it_ends()
    {
        using var job = new FakeJob("job", 5) { Fault = "no disk" };
        using (new JobLoop([job], TimeProvider.System, logger))
        {
            await job.RunsAsync(3);
            job.Fault = "";
            await logger.WaitForAsync(1601, TestContext.Current.CancellationToken);
        }

        Assert.Equal("The job fails, and is tried again each time it is due: no disk.", logger.MessageOf(1600));
    }

    [Fact]
    public async Task A_job_that_throws_ends_nothing_but_its_run()
    {
        using var bad = new FakeJob("bad", 5) { Throws = true };
        using var good = new FakeJob("good", 5);
        using (new JobLoop([bad, good], TimeProvider.System, logger))
        {
            await bad.RunsAsync(3);
            await good.RunsAsync(3);
        }

        Assert.Contains("a fault of this program: InvalidOperationException: of its own", logger.MessageOf(1600), StringComparison.Ordinal);
    }

    private sealed class FakeJob(string name, int intervalMs) : IGatherJob, IDisposable
    {
        private static int running;

        private readonly SemaphoreSlim runs = new(0);
        private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Overlaps { get; private set; }

        public bool Hangs { get; init; }

        public bool Throws { get; init; }

        /// <summary>What it waits for, whoever tells it to end; null for nothing.</summary>
        public ManualResetEventSlim? Deaf { get; init; }

        public bool WasStopped { get; private set; }

        public string Fault { get; set; } = "";

        public string Name => name;

        public TimeSpan Interval => TimeSpan.FromMilliseconds(intervalMs);

        public HarvestOutlet Outlet { get; } = new();

        public void Dispose() => runs.Dispose();

        public async Task RunsAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                await runs.WaitAsync(TestContext.Current.CancellationToken);
            }
        }

        public Task EndsAsync() => ended.Task.WaitAsync(TestContext.Current.CancellationToken);

        public string Run(CancellationToken stopping)
        {
            Overlaps += Interlocked.Increment(ref running) > 1 ? 1 : 0;
            runs.Release();
            WasStopped = Hangs && stopping.WaitHandle.WaitOne();
            Deaf?.Wait(CancellationToken.None);
            Interlocked.Decrement(ref running);
            ended.TrySetResult();
            return Throws ? throw new InvalidOperationException("of its own") : Fault;
        }
    }
}
