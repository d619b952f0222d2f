using System.Text;
using Lm.Collector.SharedLog;
using Lm.ObjectStore;
using Lm.TestKit;

namespace Lm.Collector.Tests.SharedLog;

/// <summary>Two to four collectors on one store, and agents that send to any of them: one schedule of a seed.</summary>
internal sealed class ModelFleet
{
    private const int BatchesMax = 12;
    private const int SettleStepsMax = 200_000;

    private readonly ModelCollector?[] collectors; // null: crashed
    private readonly ModelCollector.Disk[] disks;
    private readonly ModelAgent[] agents;
    private readonly SortedDictionary<long, List<string>> visible = []; // by commit

    private ModelFleet(int seed)
    {
        Random = new Random(seed);
        disks = [.. Enumerable.Range(0, Random.Next(2, 5)).Select(static index => new ModelCollector.Disk($"c{index}"))];
        agents = [.. Enumerable.Range(0, Random.Next(1, 5)).Select(index => new ModelAgent($"a{index}", Random.Next(2, BatchesMax + 1)))];
        collectors = new ModelCollector?[disks.Length];
    }

    public static ObjectKeys Keys { get; } = new("fleet-a");

    /// <summary>Small numbers, so that a short schedule sees builds, snapshots and cleaning.</summary>
    public static LogOptions Options { get; } = new()
    {
        SnapshotEvery = 3,
        TriesMax = 3,
        CommitFor = TimeSpan.FromDays(30),
        FilesAfter = TimeSpan.Zero,
        PartsFor = TimeSpan.FromHours(1),
    };

    public Random Random { get; }

    public ManualTime Time { get; } = new();

    public SimulatedNetwork Network { get; } = new();

    public int Builds { get; set; }

    public int Cleaned { get; set; }

    public int Published { get; set; }

    public int Skipped { get; set; }

    public int Crashes { get; private set; }

    public int Pauses { get; private set; }

    public long Commits { get; private set; }

    /// <summary>A collector was given what a commit made visible: all are given the same.</summary>
    public void Note(long commit, List<string> names)
    {
        if (!visible.TryAdd(commit, names))
        {
            Assert.Equal(visible[commit], names);
        }
    }

    /// <summary>Plays the schedule of a seed.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">What the log promises did not hold.</exception>
    public static ModelFleet Play(int seed)
    {
        var fleet = new ModelFleet(seed);
        fleet.Storm();
        fleet.Settle();
        fleet.Check();
        return fleet;
    }

    private void Storm()
    {
        for (var steps = Random.Next(100, 700); steps > 0; steps--)
        {
            if (steps % 25 == 0)
            {
                CheckBucket();
            }

            switch (Random.Next(100))
            {
                case < 4:
                    CrashOrStart();
                    break;
                case < 7:
                    PauseOrResume();
                    break;
                case < 9:
                    PassTime(Random.Next(6));
                    break;
                case < 25:
                    StepAgent();
                    break;
                case < 45:
                    TickOne();
                    break;
                default:
                    Network.Step(Random, IsPaused);
                    break;
            }

            Time.Advance(TimeSpan.FromMilliseconds(Random.Next(40)));
            Rethrow();
        }
    }

    // Faults end; whatever was begun comes to an end, and everyone follows.
    private void Settle()
    {
        Network.IsCalm = true;
        if (Random.Next(2) == 0)
        {
            PassTime(1); // what was built in the storm is cleaned now
        }

        for (var steps = 0; !agents.All(static agent => agent.IsDone) || !collectors.All(static each => each is { IsIdle: true }) || Network.Calls.Count > 0; steps++)
        {
            Assert.True(steps < SettleStepsMax, "the fleet does not come to rest");
            StepCalmly();
        }

        foreach (var collector in collectors)
        {
            collector!.IsStopping = true;
            collector.Tick();
        }

        Finish(Task.WhenAll(collectors.Select(static each => each!.Running)));
        for (var rounds = Random.Next(4); rounds > 0; rounds--)
        {
            Time.Advance(TimeSpan.FromDays(3));
            var first = Random.Next(collectors.Length);
            Finish(Task.WhenAll(collectors[first]!.BuildAllAsync(), collectors[(first + 1) % collectors.Length]!.BuildAllAsync()));
            CheckBucket();
        }

        foreach (var collector in collectors)
        {
            Finish(collector!.Member.FollowAsync(CancellationToken.None));
        }
    }

    private void Finish(Task task)
    {
        for (var steps = 0; !task.IsCompleted; steps++)
        {
            Assert.True(steps < SettleStepsMax, "what was begun does not end");
            StepCalmly();
        }

        Assert.True(task.IsCompletedSuccessfully, task.Exception?.ToString());
    }

    private void StepCalmly()
    {
        for (var i = 0; i < collectors.Length; i++)
        {
            collectors[i] ??= StartOne(i);
            (collectors[i]!.IsPaused, collectors[i]!.Lag) = (false, TimeSpan.Zero);
        }

        if (!Network.Step(Random, IsPaused))
        {
            TickOne();
            StepAgent();
        }

        Time.Advance(TimeSpan.FromMilliseconds(50));
        Rethrow();
    }

    private void Check()
    {
        List<string> expected = [.. visible.SelectMany(static commit => commit.Value)];
        Commits = collectors.Max(static each => each!.Member.Fold.Last);
        for (var i = 0; i < disks.Length; i++)
        {
            CheckAnswers(collectors[i]!, expected);
        }

        CheckFiles();
        var onEmptyDisk = new ModelCollector(this, new ModelCollector.Disk("new"));
        Finish(onEmptyDisk.Member.JoinAsync(CancellationToken.None));
        CheckAnswers(onEmptyDisk, expected);

        var sent = agents.SelectMany(static agent => Enumerable.Range(1, BatchesMax).Select(sequence => agent.NameOf((ulong)sequence))).ToHashSet(StringComparer.Ordinal);
        Assert.All(expected, each => Assert.Contains(each, sent));
        Assert.Equal(expected.Count, expected.Distinct(StringComparer.Ordinal).Count());
        Assert.All(agents.SelectMany(static agent => agent.Acknowledged), each => Assert.Contains(each, expected));
        var snapshots = collectors.Select(each => Convert.ToHexString(each!.Member.Fold.ToSnapshot(default))).Distinct(StringComparer.Ordinal);
        Assert.Single(snapshots);
    }

    // What is here, in the order of the log, and what blocks and log files have of what did not come here: each record, once.
    private void CheckAnswers(ModelCollector collector, List<string> expected)
    {
        var here = collector.Durable.Visible.ToHashSet(StringComparer.Ordinal);
        Assert.Equal(expected.Where(here.Contains), collector.Durable.Visible);
        bool IsMissing(long commit) => collector.Missing.Any(hole => hole.First <= commit && commit <= hole.Last);
        var inFiles = ModelFiles.NamesIn(Network.Objects).ToHashSet(StringComparer.Ordinal);
        foreach (var (commit, names) in visible)
        {
            Assert.All(names, name => Assert.True(here.Contains(name) || (IsMissing(commit) && inFiles.Contains(name)), $"{name} of commit {commit} is in no answer of {collector.Durable.Name}"));
        }
    }

    // Blocks and log files have all that the log says, and nothing that it does not.
    private void CheckFiles()
    {
        var published = collectors.Max(static each => each!.Member.Fold.Published);
        var filed = collectors.Max(static each => each!.Member.Fold.Filed);
        var inFiles = ModelFiles.NamesIn(Network.Objects).ToHashSet(StringComparer.Ordinal);
        foreach (var (commit, names) in visible)
        {
            Assert.All(names, name => Assert.True(inFiles.Contains(name) ? commit <= filed : commit > published, $"{name} of commit {commit}: {published} are published, {filed} filed"));
        }
    }

    // At any time: what was acknowledged is somewhere, and in blocks and log files at most once.
    private void CheckBucket()
    {
        var inFiles = ModelFiles.NamesIn(Network.Objects);
        Assert.Equal(inFiles.Count, inFiles.Distinct(StringComparer.Ordinal).Count());
        var known = inFiles.ToHashSet(StringComparer.Ordinal);
        var records = string.Concat(Network.Objects.Where(static each => each.Key.EndsWith(".lmf", StringComparison.Ordinal)).Select(static each => Encoding.Latin1.GetString(each.Value)));
        Assert.All(
            agents.SelectMany(static agent => agent.Acknowledged), name => Assert.True(known.Contains(name) || records.Contains(name + ModelFiles.End, StringComparison.Ordinal), $"{name} is nowhere in the bucket"));
    }

    private void CrashOrStart()
    {
        var index = Random.Next(collectors.Length);
        if (collectors[index] is not { } running)
        {
            collectors[index] = StartOne(index);
        }
        else if (Random.Next(8) == 0)
        {
            Network.Forget(running, Random);
            collectors[index] = null;
            Crashes++;
            if (Random.Next(6) == 0)
            {
                disks[index] = new ModelCollector.Disk(disks[index].Name); // and its disk is lost
            }
        }
    }

    private ModelCollector StartOne(int index)
    {
        var started = new ModelCollector(this, disks[index]);
        started.Start();
        return started;
    }

    private void PauseOrResume()
    {
        if (collectors[Random.Next(collectors.Length)] is { } collector)
        {
            collector.IsPaused = !collector.IsPaused && Random.Next(3) == 0;
            Pauses += collector.IsPaused ? 1 : 0;
        }
    }

    private void PassTime(int kind)
    {
        if (kind < 2)
        {
            Network.DropStrays(Random);
            var passed = kind == 0 ? TimeSpan.FromHours(2) : TimeSpan.FromDays(3);
            Time.Advance(passed);
            foreach (var collector in collectors.Where(static each => each is { IsPaused: true }))
            {
                collector!.Lag += Random.Next(2) == 0 ? passed : TimeSpan.Zero;
            }
        }
        else
        {
            Time.Advance(TimeSpan.FromSeconds(kind));
        }
    }

    private void StepAgent()
    {
        var agent = agents[Random.Next(agents.Length)];
        if (agent.IsDone)
        {
            return;
        }

        if (!agent.IsWaiting)
        {
            agent.Send(collectors[Random.Next(collectors.Length)]);
        }
        else if (!Network.IsCalm || Random.Next(50) == 0)
        {
            if (Random.Next(4) == 0)
            {
                agent.GiveUp(); // its request may be lost, or on its way still
            }
        }
    }

    private void TickOne()
    {
        if (collectors[Random.Next(collectors.Length)] is { IsPaused: false } collector)
        {
            collector.Tick();
        }
    }

    private bool IsPaused(object client) => client is ModelCollector { IsPaused: true };

    private void Rethrow()
    {
        foreach (var collector in collectors)
        {
            if (collector is { Running.IsFaulted: true })
            {
                throw new InvalidOperationException("a collector ended", collector.Running.Exception);
            }
        }
    }
}
