using Lm.Agent.Queue;
using Lm.Protocol;

namespace Lm.Agent.Tests.Queue;

/// <summary>Random steps, crashes at any file operation included, against what must hold whatever happens.</summary>
public sealed class DiskQueueModelTests
{
    [Fact]
    public async Task No_number_is_sent_with_two_contents_and_nothing_is_lost_doubled_or_invented_after_any_crashes()
    {
        for (var seed = 1; seed <= 80; seed++)
        {
            try
            {
                await using var run = new Run(seed);
                await run.GoAsync();
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                throw new InvalidOperationException($"seed {seed}: {failure.Message}", failure);
            }
        }
    }

    private sealed class Run(int seed) : IAsyncDisposable
    {
        private readonly Random random = new(seed);
        private readonly QueueBench bench = new(seed, sizeMax: 4 << 20) { BatchBytes = 1 + (seed % 4 * 9000) };
        private readonly Dictionary<(QueueId, ulong), long> sent = [];
        private readonly HashSet<long> durable = []; // the append said so
        private readonly HashSet<long> maybe = []; // the append failed in a crash
        private readonly HashSet<long> acknowledged = []; // at any time
        private readonly HashSet<long> settled = []; // acknowledged, and no crash since has brought it back
        private long lastId;

        public async Task GoAsync()
        {
            await bench.OpenAsync();
            for (var step = 0; step < 60; step++)
            {
                await StepAsync();
            }

            await bench.CloseAsync();
            await bench.OpenAsync();
            await bench.Queue.MigrateAsync(CancellationToken.None);
            CheckWaiting(afterCleanStop: true);
            await bench.CloseAsync();
        }

        public ValueTask DisposeAsync() => bench.DisposeAsync();

        private async Task StepAsync()
        {
            switch (random.Next(20))
            {
                case < 10:
                    await AppendAsync();
                    break;
                case < 14:
                    SendSome();
                    break;
                case 14:
                    await bench.CloseAsync();
                    await ReopenAsync();
                    CheckWaiting(afterCleanStop: true);
                    break;
                case 15:
                    await bench.Queue.ForkAsync("test", CancellationToken.None);
                    break;
                case 16:
                    await bench.Queue.MigrateAsync(CancellationToken.None);
                    break;
                default:
                    await CrashAsync();
                    break;
            }
        }

        private async Task AppendAsync()
        {
            var id = ++lastId;
            var batch = await bench.AppendAsync(id);
            (batch is null ? maybe : durable).Add(id);
            if (batch is not null && random.Next(2) == 0)
            {
                Send(batch);
            }
        }

        private void SendSome()
        {
            foreach (var batch in bench.ReadAll().Where(_ => random.Next(2) == 0))
            {
                Send(batch);
            }
        }

        private void Send(QueuedBatch batch)
        {
            var (key, id) = QueueBench.Decode(batch);
            Assert.Equal(batch.CollectedAt.Value, id);
            Assert.True(FloorOf(bench) <= key.Sequences.Start);
            Assert.Equal(id, sent.GetValueOrDefault((key.QueueId, key.Sequences.Start), id));
            sent[(key.QueueId, key.Sequences.Start)] = id;
            if (random.Next(4) > 0)
            {
                bench.Queue.Acknowledge(batch.Number);
                acknowledged.Add(id);
                settled.Add(id);
            }
        }

        private static ulong FloorOf(QueueBench bench)
        {
            try
            {
                return bench.Queue.Status().Floor;
            }
            catch (Lm.Platform.Files.FileSystemException) when (bench.Files.IsDead)
            {
                return 0; // no request leaves a machine that has stopped
            }
        }

        private async Task CrashAsync()
        {
            bench.Files.HaltAt = bench.Files.OperationCount + random.Next(14);
            for (var i = 0; i < 4 && !bench.Files.IsDead; i++)
            {
                if (random.Next(3) == 0)
                {
                    await bench.Queue.ForkAsync("test", CancellationToken.None);
                    await MigrateUnlessDeadAsync();
                }

                await AppendAsync();
            }

            var crashed = bench.Files;
            await bench.CloseAsync();
            bench.Files = random.Next(2) == 0 ? crashed.PowerCut(random) : crashed.Kill();
            bench.MachineId = random.Next(5) == 0 ? bench.MachineId + 1 : bench.MachineId;
            await ReopenAsync();
            CheckWaiting(afterCleanStop: false);
            settled.ExceptWith(bench.Queue.NeedsMigration ? [.. settled] : bench.WaitingIds());
        }

        private async Task MigrateUnlessDeadAsync()
        {
            try
            {
                await bench.Queue.MigrateAsync(CancellationToken.None);
            }
            catch (Lm.Platform.Files.FileSystemException) when (bench.Files.IsDead)
            {
                // The machine stopped while the queue was being read.
            }
        }

        private async Task ReopenAsync()
        {
            await bench.OpenAsync();
            if (random.Next(2) == 0)
            {
                await bench.Queue.MigrateAsync(CancellationToken.None);
            }
        }

        private void CheckWaiting(bool afterCleanStop)
        {
            if (bench.Queue.NeedsMigration)
            {
                return; // what waits under an old id is not handed out until it was queued again
            }

            var waiting = bench.WaitingIds();
            Assert.Equal(waiting.Count, waiting.Distinct().Count());
            Assert.Equal((ulong)waiting.Count, bench.Queue.WaitingCount);
            Assert.Empty(durable.Except(acknowledged).Except(waiting)); // nothing lost
            Assert.Empty(waiting.Except(durable).Except(maybe)); // nothing invented
            if (afterCleanStop)
            {
                Assert.Empty(waiting.Intersect(settled)); // nothing is sent for ever
            }
        }
    }
}
