using FsCheck;
using FsCheck.Fluent;
using Lm.Platform.Files;
using Lm.TestKit;

namespace Lm.Tsdb.Tests.Head;

/// <summary>Any steps, crashes and failing calls included: what was committed is there once, with the value that was committed first.</summary>
public sealed class HeadModelTests
{
    private const int SeriesCount = 6;

    internal enum Kind
    {
        Live,
        Late,
        Repeat,
        Checkpoint,
        Maintain,
        Kill,
        PowerCut,
        DueBlocks,
        AllBlocks,
        Advance,
        FaultyCheckpoint,
        FaultyBlocks,
    }

    private static readonly Arbitrary<Step[]> Steps = Arb.From(
        Gen.Frequency(
            (8, Of(Kind.Live)),
            (6, Of(Kind.Late)),
            (3, Of(Kind.Repeat)),
            (3, Of(Kind.Checkpoint)),
            (2, Of(Kind.Maintain)),
            (1, Of(Kind.Kill)),
            (2, Of(Kind.PowerCut)),
            (2, Of(Kind.DueBlocks)),
            (1, Of(Kind.AllBlocks)),
            (3, Of(Kind.Advance)),
            (2, Of(Kind.FaultyCheckpoint)),
            (2, Of(Kind.FaultyBlocks))).ArrayOf(),
        steps => Enumerable.Range(0, steps.Length).Select(i => steps.Where((_, at) => at != i).ToArray()));

    [Fact]
    public void Head_and_model_agree_after_any_steps_and_crashes() => Prop.ForAll(Steps, Run).Check(Config.QuickThrowOnFailure.WithMaxTest(250));

    private static Gen<Step> Of(Kind kind) => Gen.Choose(0, 1_000_000).Select(seed => new Step(kind, seed));

    private static void Run(Step[] steps)
    {
        var machine = new HeadMachine(new MemoryFileSystem(seed: 7));
        foreach (var step in steps)
        {
            Take(machine, step);
            var difference = machine.Difference();
            Assert.True(difference.Length == 0, $"after {step}: {difference}");
        }

        machine.Restart(machine.Files.PowerCut(new Random(steps.Length)));
        Assert.Equal("", machine.Difference());
        Assert.Empty(machine.Opening.Damage);
    }

    private static void Take(HeadMachine machine, Step step)
    {
        var random = new Random(step.Seed);
        switch (step.Kind)
        {
            case Kind.Live:
                Live(machine, random);
                break;
            case Kind.Late:
                Late(machine, random);
                break;
            case Kind.Repeat when machine.Log.Count > 0:
                var again = machine.Log[random.Next(machine.Log.Count)].Samples;
                machine.Append([.. again.Select(sample => sample with { Value = sample.Value + random.Next(2) })]);
                break;
            case Kind.Checkpoint:
                machine.Checkpoint();
                break;
            case Kind.Maintain:
                machine.Head.Maintain();
                break;
            case Kind.Kill:
                machine.Restart(machine.Files.Kill());
                break;
            case Kind.PowerCut:
                machine.Restart(machine.Files.PowerCut(random));
                break;
            case Kind.DueBlocks:
                machine.WriteBlocks(dueOnly: true, () => Late(machine, random));
                break;
            case Kind.AllBlocks:
                machine.WriteBlocks(dueOnly: false, () => Live(machine, random));
                break;
            case Kind.Advance:
                machine.Advance(TimeSpan.FromMinutes(random.Next(1, 300)));
                break;
            case Kind.FaultyCheckpoint:
                WithFault(machine, random, machine.Checkpoint);
                break;
            case Kind.FaultyBlocks:
                WithFault(machine, random, () => machine.WriteBlocks(dueOnly: random.Next(2) == 0));
                break;
            default:
                break;
        }
    }

    private static void Live(HeadMachine machine, Random random)
    {
        var count = random.Next(1, 150);
        for (var i = 0; i < count; i++)
        {
            machine.Advance(TimeSpan.FromMilliseconds(HeadMachine.Interval));
            machine.Append([.. Enumerable.Range(0, SeriesCount - 2).Select(series => new HeadMachine.Sample(series, machine.Now, Value(random, i)))]);
        }
    }

    private static void Late(HeadMachine machine, Random random)
    {
        var start = machine.Now - (random.Next(3) switch { 0 => random.Next(3_600_000), 1 => random.Next(86_400_000), _ => random.NextInt64(11 * 86_400_000L) });
        var step = random.Next(3) == 0 ? random.Next(1, 100_000) : HeadMachine.Interval;
        var samples = Enumerable.Range(0, random.Next(1, 200))
            .Select(i => new HeadMachine.Sample(random.Next(4) == 0 ? random.Next(SeriesCount) : SeriesCount - 1, start + (i * (long)step), Value(random, i)))
            .ToArray();
        if (random.Next(2) == 0)
        {
            random.Shuffle(samples);
        }

        machine.Append(samples);
    }

    private static double Value(Random random, int i) => random.Next(4) switch
    {
        0 => 1,
        1 => i,
        2 => random.NextDouble(),
        _ => BitConverter.Int64BitsToDouble(StaleMarker.Bits),
    };

    private static void WithFault(HeadMachine machine, Random random, Action act)
    {
        var at = machine.Files.OperationCount + random.Next(40);
        machine.Files.Fault = operation => operation.Index == at ? new FileFault(28, random.Next(2) == 0) : null;
        try
        {
            act();
        }
        catch (FileSystemException)
        {
            // Expected: the next step goes on with what is there.
        }
        finally
        {
            machine.Files.Fault = null;
        }
    }

    internal readonly record struct Step(Kind Kind, int Seed);
}
