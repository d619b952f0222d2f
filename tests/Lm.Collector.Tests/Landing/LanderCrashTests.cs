using FsCheck;
using FsCheck.Fluent;
using Lm.Journal;
using Lm.TestKit;

namespace Lm.Collector.Tests.Landing;

/// <summary>Crashes of the collector, of the store's machine and lost answers, between any two steps: nothing that was acknowledged is missing in the store, and nothing is there twice.</summary>
public sealed class LanderCrashTests
{
    [Theory]
    [InlineData(StoreTrouble.FailsBefore, true)]
    [InlineData(StoreTrouble.FailsAfter, true)]
    [InlineData(StoreTrouble.FailsBefore, false)]
    [InlineData(StoreTrouble.FailsAfter, false)]
    [InlineData(StoreTrouble.Damages, true)]
    public async Task A_crash_at_any_request_loses_and_doubles_nothing(object trouble, bool keepsState)
    {
        for (var at = 0; ; at++)
        {
            var bucket = new MemoryFileSystem(at);
            MemoryFileSystem disk;
            ManualTime time;
            bool reached;
            await using (var rig = new LandingRig(bucket: bucket, objectSizeMax: 600))
            {
                await rig.AcceptAsync(1, 6);
                rig.Store.Trouble = (call, _, _) => call == at ? (StoreTrouble)trouble : call > at ? StoreTrouble.FailsBefore : StoreTrouble.None;
                await rig.LandAsync();
                rig.State.TryWrite(rig.Ingest.Spool.Incarnation);
                reached = rig.Store.Calls > at;
                (disk, time) = (rig.Ingest.Files, rig.Ingest.Time);
                disk = disk.Kill();
            }

            await using var restarted = new LandingRig(disk, bucket.PowerCut(new Random(at)), time, objectSizeMax: 600, keepsState: keepsState);
            await restarted.AcceptAsync(7, 2);
            Assert.True(await restarted.LandAsync(tries: 3), $"call {at}: {restarted.Lander.Status.Trouble}");
            Assert.Equal(Show(restarted.Spooled()), Show(await restarted.LandedAsync()));
            if (!reached)
            {
                return;
            }
        }
    }

    [Fact]
    public async Task A_power_cut_of_the_stores_machine_at_any_call_loses_and_doubles_nothing()
    {
        for (var at = 0; ; at++)
        {
            var bucket = new MemoryFileSystem(at) { HaltAt = at };
            await using var rig = new LandingRig(bucket: bucket, objectSizeMax: 600);
            await rig.AcceptAsync(1, 6);
            var landed = await rig.LandAsync();
            rig.State.TryWrite(rig.Ingest.Spool.Incarnation);
            var promised = rig.Lander.Status.Landed;
            var spooled = rig.Spooled();

            await using var restarted = new LandingRig(rig.Ingest.Files.Kill(), bucket.PowerCut(new Random(at)), rig.Ingest.Time, objectSizeMax: 600);
            var there = await restarted.LandedAsync();
            Assert.Equal(Show(spooled.Where(record => record.Position < promised)), Show(there.Where(record => record.Position < promised)));
            Assert.True(await restarted.LandAsync(tries: 2), restarted.Lander.Status.Trouble);
            Assert.Equal(Show(restarted.Spooled()), Show(await restarted.LandedAsync()));
            if (landed)
            {
                return;
            }
        }
    }

    [Fact]
    public void Any_run_of_batches_passes_faults_trims_and_crashes_lands_everything_once() =>
        Prop.ForAll(Steps, steps => RunAsync(steps).GetAwaiter().GetResult()).Check(Config.QuickThrowOnFailure.WithMaxTest(60));

    // Shrinks by leaving out one step at a time.
    private static Arbitrary<Step[]> Steps => Arb.From(
        Gen.Frequency(
            (5, Gen.Choose(1, 4).Select(count => new Step(StepKind.Accept, count))),
            (5, Gen.Constant(new Step(StepKind.Land, 0))),
            (3, Gen.Choose(0, 14).Select(call => new Step(StepKind.LandWithLostAnswer, call))),
            (3, Gen.Choose(0, 14).Select(call => new Step(StepKind.LandWithRefusal, call))),
            (2, Gen.Constant(new Step(StepKind.SaveAndTrim, 0))),
            (2, Gen.Constant(new Step(StepKind.Kill, 0))),
            (2, Gen.Choose(0, 1000).Select(seed => new Step(StepKind.PowerCut, seed)))).ArrayOf(),
        steps => Enumerable.Range(0, steps.Length).Select(i => steps.Where((_, at) => at != i).ToArray()));

    private static async Task RunAsync(Step[] steps)
    {
        var bucket = new MemoryFileSystem();
        var rig = new LandingRig(bucket: bucket, segmentSizeMax: 1200, objectSizeMax: 700);
        var acknowledged = new SortedDictionary<JournalPosition, string>();
        var next = 1UL;
        await AcceptAsync(1); // a journal without a record is born anew at each start
        foreach (var step in steps)
        {
            switch (step.Kind)
            {
                case StepKind.Accept:
                    await AcceptAsync(step.Number);
                    break;
                case StepKind.SaveAndTrim:
                    var keep = rig.Lander.FirstToKeep(1 << 30);
                    Assert.True(rig.State.TryWrite(rig.Ingest.Spool.Incarnation));
                    rig.Ingest.Spool.DeleteBefore(keep);
                    break;
                case StepKind.Kill:
                    await RestartAsync(rig.Ingest.Files.Kill());
                    break;
                case StepKind.PowerCut:
                    await RestartAsync(rig.Ingest.Files.PowerCut(new Random(step.Number)));
                    break;
                default:
                    var first = rig.Store.Calls;
                    var trouble = step.Kind == StepKind.LandWithLostAnswer ? StoreTrouble.FailsAfter : StoreTrouble.FailsBefore;
                    rig.Store.Trouble = (call, _, _) => step.Kind != StepKind.Land && call - first == step.Number ? trouble : StoreTrouble.None;
                    await rig.LandAsync();
                    break;
            }
        }

        rig.Store.Trouble = static (_, _, _) => StoreTrouble.None;
        Assert.True(await rig.LandAsync(tries: 2), rig.Lander.Status.Trouble);
        Assert.Equal(acknowledged.Values, Show(await rig.LandedAsync()));
        await rig.DisposeAsync();

        async Task AcceptAsync(int count)
        {
            await rig.AcceptAsync(next, count);
            next += (ulong)count;
            foreach (var record in rig.Spooled())
            {
                acknowledged[record.Position] = Show([record]).Single();
            }
        }

        async Task RestartAsync(MemoryFileSystem disk)
        {
            var old = rig;
            rig = new LandingRig(disk, bucket, old.Ingest.Time, segmentSizeMax: 1200, objectSizeMax: 700);
            await old.DisposeAsync();
        }
    }

    private static IEnumerable<string> Show(IEnumerable<(JournalPosition Position, byte[] Bytes)> records) =>
        records.Select(record => $"{record.Position} {Convert.ToHexStringLower(record.Bytes)}");

    private enum StepKind
    {
        Accept,
        Land,
        LandWithLostAnswer,
        LandWithRefusal,
        SaveAndTrim,
        Kill,
        PowerCut,
    }

    private readonly record struct Step(StepKind Kind, int Number);
}
