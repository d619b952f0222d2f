using System.Text;
using Lm.Collector.Ingest;
using Lm.Collector.Landing;
using Lm.Collector.Recovery;
using Lm.Collector.SharedLog;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Protocol;
using Lm.TestKit;

namespace Lm.Collector.Tests.SharedLog;

/// <summary>A collector of the model: the real member and the real builder, with a list in place of a spool. What is durable outlives a crash, the rest does not.</summary>
internal sealed class ModelCollector : ILogConsumer
{
    private readonly ModelFleet fleet;
    private readonly Disk disk;
    private readonly IObjectStore store;
    private readonly LogMember member;
    private readonly LogBuilder builder;
    private readonly FileBuilder files;
    private readonly List<(long First, long Last)> missing;
    private readonly long knownUpTo; // what the disk had before this life
    private readonly List<ModelRequest> inbox = [];
    private TaskCompletionSource? tick;

    public ModelCollector(ModelFleet fleet, Disk disk)
    {
        (this.fleet, this.disk) = (fleet, disk);
        store = fleet.Network.Connect(this);
        knownUpTo = disk.AppliedUpTo;
        var objects = new LogObjects(store, ModelFleet.Keys);
        member = new LogMember(new LogMemberParts(objects, disk.Name, this, new LateTime(fleet.Time, () => Lag), new Random(fleet.Random.Next()), ModelFleet.Options), disk.Mark);
        var parts = new LogBuilderParts(objects, disk.Name, fleet.Time, ModelFleet.Options, () => UnixMillis.Now(fleet.Time), () => UnixMillis.Now(fleet.Time), static () => TimeSpan.FromDays(400));
        builder = new LogBuilder(member, parts);
        files = new FileBuilder(member, parts, new ModelFiles(store, disk.Name));
        missing = [.. disk.Missing];
    }

    public bool IsPaused { get; set; }

    /// <summary>How far its clock is behind: it slept, and nobody has set it yet.</summary>
    public TimeSpan Lag { get; set; }

    public bool IsStopping { get; set; }

    public bool HasJoined { get; private set; }

    /// <summary>Commits whose records are looked for in blocks and log files.</summary>
    public IReadOnlyList<(long First, long Last)> Missing => missing;

    public LogMember Member => member;

    public Disk Durable => disk;

    public Task Running { get; private set; } = Task.CompletedTask;

    public bool IsWaiting => tick is not null;

    public bool IsIdle => inbox.Count == 0 && tick is not null;

    public void Start() => Running = RunAsync();

    public void Tick()
    {
        var waiting = tick;
        tick = null;
        waiting?.SetResult();
    }

    /// <summary>A request arrives. It is answered at once where its batch is here already.</summary>
    public void Take(ModelRequest request)
    {
        if (!HasJoined)
        {
            request.Answer(fleet, isTaken: false);
        }
        else if (disk.Has(request.Key))
        {
            request.Answer(fleet, isTaken: true);
        }
        else
        {
            inbox.Add(request);
        }
    }

    public async ValueTask ApplyAsync(long number, DataCommit commit, bool[] visible, Draft? own, CancellationToken cancellationToken)
    {
        var found = new List<string>();
        for (var i = 0; i < visible.Length; i++)
        {
            if (visible[i])
            {
                var record = new byte[commit.Entries[i].Size];
                if (own is null && await store.ReadAsync(commit.Raw.Key, commit.Entries[i].Offset, record, cancellationToken) is null)
                {
                    throw new LogObjectMissingException(commit.Raw.Key);
                }

                found.Add(own is null ? TextOf(record, commit.Entries[i].Checksum) : NameOf(commit.Entries[i].Frame!.Key));
            }
        }

        Append(number, found);
    }

    public async ValueTask ApplyPartAsync(LogPart part, long after, CancellationToken cancellationToken)
    {
        if (await RawObjectReader.ReadAsync(store, part.Object.Key, cancellationToken) is not { Manifest: { } manifest })
        {
            throw new LogObjectMissingException(part.Object.Key);
        }

        var byCommit = new SortedDictionary<long, List<string>>();
        await foreach (var record in new RawArchive(store, ModelFleet.Keys, disk.Name).ReadRecordsAsync(part.Object.Key, manifest, cancellationToken))
        {
            Assert.True(record.IsWhole);
            var number = RawBundle.CommitOf(record.Entry.Position);
            if (number > after)
            {
                byCommit.TryAdd(number, []);
                byCommit[number].Add(TextOf(record.Bytes.Span, record.Entry.Checksum));
            }
        }

        foreach (var (number, found) in byCommit)
        {
            Append(number, found);
        }

        disk.AppliedUpTo = Math.Max(disk.AppliedUpTo, part.Last);
    }

    public void Skip(long first, long last)
    {
        missing.Add((first, last));
        fleet.Skipped++;
        disk.AppliedUpTo = Math.Max(disk.AppliedUpTo, last);
    }

    /// <summary>Builds, files, publishes and cleans all that is due.</summary>
    public async Task BuildAllAsync()
    {
        await member.FollowAsync(CancellationToken.None);
        await builder.RunAsync(CancellationToken.None);
        await TriesAsync(RunFilesAsync); // another one may be faster, and have cleaned
        fleet.Cleaned += await builder.CleanAsync(builder.PlanCleaning(), CancellationToken.None);
        await files.CleanAsync(files.PlanCleaning(), CancellationToken.None);
    }

    public static string NameOf(BatchKey key) => $"{key.AgentId}/{key.QueueId}/{key.Sequences}";

    private static string TextOf(ReadOnlySpan<byte> record, uint checksum)
    {
        Assert.Equal(checksum, Crc32C.Compute(record));
        return Encoding.UTF8.GetString(record).TrimEnd(ModelFiles.End);
    }

    private async Task RunFilesAsync()
    {
        var published = member.Fold.Published;
        await files.RunAsync(CancellationToken.None);
        fleet.Published += member.Fold.Published > published ? 1 : 0;
    }

    private void Append(long number, List<string> found)
    {
        fleet.Note(number, found);
        foreach (var each in found)
        {
            if (!disk.Add(each))
            {
                Assert.True(number <= knownUpTo, $"{each} became visible a second time, at commit {number}");
            }
        }

        disk.AppliedUpTo = Math.Max(disk.AppliedUpTo, number);
    }

    private async Task RunAsync()
    {
        while (!HasJoined)
        {
            HasJoined = await TriesAsync(() => member.JoinAsync(CancellationToken.None));
            await WaitAsync();
        }

        while (!IsStopping)
        {
            if (inbox.Count > 0)
            {
                await TakeInboxAsync();
            }
            else
            {
                await TriesAsync(WorkAsync);
            }

            if (fleet.Random.Next(3) == 0)
            {
                (disk.Mark, disk.Missing) = (member.Applied, [.. missing]);
            }

            await WaitAsync();
        }
    }

    private async Task WorkAsync()
    {
        switch (fleet.Random.Next(7))
        {
            case 3:
                fleet.Builds += await builder.RunAsync(CancellationToken.None) ? 1 : 0;
                break;
            case 4:
                fleet.Cleaned += await builder.CleanAsync(builder.PlanCleaning(), CancellationToken.None);
                break;
            case 5:
                await RunFilesAsync();
                break;
            case 6:
                await files.CleanAsync(files.PlanCleaning(), CancellationToken.None);
                break;
            default:
                await member.FollowAsync(CancellationToken.None);
                break;
        }
    }

    // What is answered is decided by the log alone.
    private async Task TakeInboxAsync()
    {
        var taken = inbox.Take(fleet.Random.Next(1, 4)).ToArray();
        inbox.RemoveRange(0, taken.Length);
        var isCommitted = false;
        IReadOnlyList<AdmissionResult> outcomes = [];
        await TriesAsync(async () =>
        {
            outcomes = await member.CommitAsync(await UploadAsync(taken), CancellationToken.None);
            isCommitted = true;
        });
        for (var i = 0; i < taken.Length; i++)
        {
            Assert.True(!isCommitted || outcomes[i].Admission is Admission.New or Admission.Duplicate, "a batch is new or a repeat");
            taken[i].Answer(fleet, isCommitted);
        }
    }

    private async Task<Draft> UploadAsync(ModelRequest[] requests)
    {
        var bundle = new RawBundle(disk.Name, Guid.NewGuid());
        var entries = new List<CommitEntry>();
        foreach (var request in requests)
        {
            var record = Encoding.UTF8.GetBytes(NameOf(request.Key) + ModelFiles.End);
            var now = UnixMillis.Now(fleet.Time);
            var entry = bundle.Add(RawBundle.PlaceOf(0, entries.Count), 1, record, default, now, request.Key);
            entries.Add(new CommitEntry(1, entry.Offset, entry.Size, entry.Checksum, now, new CommitFrame(request.Key, new FrameFingerprint(entry.Checksum, record.Length), 0)));
        }

        var (bytes, hash) = bundle.Finish();
        var key = ModelFleet.Keys.SharedRaw(disk.Name, Guid.NewGuid());
        await store.PutAsync(key, ObjectContent.Of(bytes), PutCondition.IfAbsent, CancellationToken.None);
        return new Draft(new StoredObject(key, bytes.Length, hash), entries);
    }

    private static async Task<bool> TriesAsync(Func<Task> work)
    {
        try
        {
            await work();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private Task WaitAsync() => (tick = new TaskCompletionSource()).Task;

    private sealed class LateTime(ManualTime right, Func<TimeSpan> lag) : TimeProvider
    {
        public override long TimestampFrequency => right.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => right.GetUtcNow() - lag();

        public override long GetTimestamp() => right.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => right.CreateTimer(callback, state, dueTime, period);
    }

    /// <summary>What outlives a crash.</summary>
    internal sealed class Disk(string name)
    {
        private readonly HashSet<string> known = new(StringComparer.Ordinal);

        public string Name { get; } = name;

        /// <summary>What is visible here, in its order.</summary>
        public List<string> Visible { get; } = [];

        /// <summary>What the file says that is written now and then.</summary>
        public long Mark { get; set; }

        /// <summary>And of what did not come here.</summary>
        public IReadOnlyList<(long First, long Last)> Missing { get; set; } = [];

        /// <summary>What is so.</summary>
        public long AppliedUpTo { get; set; }

        public bool Has(BatchKey key) => known.Contains(NameOf(key));

        public bool Add(string text)
        {
            if (!known.Add(text))
            {
                return false;
            }

            Visible.Add(text);
            return true;
        }
    }
}

/// <summary>A batch on its way to a collector.</summary>
internal sealed class ModelRequest(ModelAgent agent, BatchKey key)
{
    public BatchKey Key { get; } = key;

    /// <summary>The agent has given up waiting, or the answer gets lost.</summary>
    public bool IsAbandoned { get; set; }

    public void Answer(ModelFleet fleet, bool isTaken)
    {
        if (IsAbandoned)
        {
            return;
        }

        IsAbandoned = true;
        agent.Hear(isTaken && (fleet.Network.IsCalm || fleet.Random.Next(5) > 0) ? Key : null);
    }
}

/// <summary>An agent of the model: one batch after the other, each until it is acknowledged, at whatever collector.</summary>
internal sealed class ModelAgent(string name, int batches)
{
    private readonly QueueId queue = new((UInt128)Crc32C.Compute(Encoding.UTF8.GetBytes(name)));
    private ModelRequest? waiting;
    private ulong next = 1;

    public List<string> Acknowledged { get; } = [];

    public bool IsDone => next > (ulong)batches;

    public bool IsWaiting => waiting is not null;

    public string NameOf(ulong sequence) => ModelCollector.NameOf(KeyOf(sequence));

    public void Send(ModelCollector? collector)
    {
        waiting = new ModelRequest(this, KeyOf(next));
        if (collector is null)
        {
            GiveUp(); // it is down
        }
        else
        {
            collector.Take(waiting);
        }
    }

    public void GiveUp()
    {
        waiting?.IsAbandoned = true;
        waiting = null;
    }

    public void Hear(BatchKey? taken)
    {
        waiting = null;
        if (taken is { } key)
        {
            Acknowledged.Add(ModelCollector.NameOf(key));
            next++;
        }
    }

    private BatchKey KeyOf(ulong sequence) => new(name, queue, new SequenceRange(sequence, sequence));
}
