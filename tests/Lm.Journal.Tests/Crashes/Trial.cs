using System.Buffers.Binary;

using Lm.Platform.Files;
using Lm.TestKit;

namespace Lm.Journal.Tests.Crashes;

/// <summary>A journal on a <see cref="MemoryFileSystem"/> beside a model of what it owes: steps, faults, crashes, and after each
/// reopening the comparison.</summary>
/// <remarks>
/// What is checked:
/// every acknowledged record is there, in order, unchanged, once; nothing else is, but refused or unanswered records of which the
/// first reopening afterwards decides for good, and of those none that was refused before a later append was acknowledged;
/// the preamble of each segment tells the last record before it; crashes alone are never reported as damage.
/// </remarks>
internal sealed class Trial(int seed)
{
    public const string Directory = "/spool/journal";

    private readonly JournalOptions sizes = new()
    {
        SegmentSizeMax = 7000,
        RecordSizeMax = 50_000,
        PendingSizeMax = 1 << 20,
        ZerosAhead = (seed % 3) switch { 0 => 0, 1 => 900, _ => 5000 },
    };

    private readonly Random random = new(seed);
    private readonly SortedDictionary<int, Expectation> records = [];
    private readonly Dictionary<int, uint> segmentOf = [];
    private Journal? journal;
    private int lastCommitted;
    private int nextRecord = 1;

    private enum Expectation
    {
        Committed,
        Refused, // may turn up at the next opening
        Deleted, // deletion failed: may or may not turn up
        Gone,
    }

    public MemoryFileSystem Files { get; private set; } = new(seed);

    public int CommittedCount => records.Values.Count(each => each == Expectation.Committed);

    /// <summary>How many calls a workload makes when nothing fails.</summary>
    public static async Task<int> CountCallsAsync(int seed, int steps)
    {
        var trial = new Trial(seed);
        await trial.LiveAsync(steps);
        await trial.CloseAsync();
        Assert.True(trial.CommittedCount > 10, "the workload is too small to test much");
        return trial.Files.OperationCount;
    }

    /// <summary>Opens, compares, and does some steps; stops early when the machine stops.</summary>
    public async Task LiveAsync(int steps)
    {
        if (!TryOpen())
        {
            return;
        }

        Compare(journal!.Read(), isReopening: true);
        for (var step = 0; step < steps && journal is not null && !Files.IsDead; step++)
        {
            await StepAsync();
        }
    }

    /// <summary>Opens on a sound machine, compares, appends some more, which must succeed, and compares again.</summary>
    public async Task SettleAsync()
    {
        Files.Fault = null;
        Files.HaltAt = null;
        Files.Capacity = long.MaxValue;
        if (journal is null)
        {
            Assert.True(TryOpen(), "the journal must open once nothing fails any more");
            Compare(journal!.Read(), isReopening: true);
        }

        for (var i = 0; i < 3; i++)
        {
            Assert.True(await AppendAsync(RecordSize(), null), "an append must succeed once nothing fails any more");
        }

        Compare(journal.Read(), isReopening: false);
        Compare(JournalReader.ReadDirectory(Files, Directory), isReopening: false);
    }

    public async Task CrashAsync(bool powerCut)
    {
        var next = powerCut ? Files.PowerCut(random) : Files.Kill();
        await CloseAsync(); // the dead machine's journal; all its calls fail
        Files = next;
    }

    public async Task CloseAsync()
    {
        if (journal is not null)
        {
            await journal.DisposeAsync();
            journal = null;
        }
    }

    private bool TryOpen()
    {
        try
        {
            journal = Journal.Open(Files, Directory, sizes with { Preamble = Preamble, Committed = OnCommitted });
        }
        catch (FileSystemException)
        {
            return false;
        }

        Assert.Empty(journal.Recovery.Damage);
        return true;
    }

    private async Task StepAsync()
    {
        switch (random.Next(12))
        {
            case < 6:
                await AppendAsync(RecordSize(), null);
                break;
            case < 9:
                await AppendGroupAsync(random.Next(2, 6));
                break;
            case 9:
                DeleteSome();
                break;
            case 10 when Files.Fault is null && Files.HaltAt is null:
                Compare(journal!.Read(), isReopening: false);
                break;
            default:
                await CloseAsync();
                if (TryOpen())
                {
                    Compare(journal!.Read(), isReopening: true);
                }
                break;
        }
    }

    private int RecordSize() => random.Next(20) == 0 ? random.Next(30_000, 45_000) : random.Next(4, 1500);

    private async Task<bool> AppendAsync(int size, Hold? hold)
    {
        var record = nextRecord++;
        try
        {
            var payload = PayloadOf(record, size);
            var cut = random.Next(size + 1);
            var position = await journal!.AppendAsync(
                payload.AsMemory(0, cut), payload.AsMemory(cut), new AppendState(record, hold), CancellationToken.None);
            OnAnswered(record, position);
            return true;
        }
        catch (JournalException)
        {
            lock (records)
            {
                records[record] = Expectation.Refused;
            }

            return false;
        }
    }

    /// <summary>Holds the writer in the callback of a first record until the others wait, so that they become one group.</summary>
    private async Task AppendGroupAsync(int count)
    {
        using var hold = new Hold();
        var first = AppendAsync(RecordSize(), hold);
        await Task.WhenAny(first, hold.Entered);
        var others = Enumerable.Range(0, count).Select(_ => AppendAsync(RecordSize(), null)).ToArray();
        hold.Open();
        await first;
        await Task.WhenAll(others);
    }

    private void OnAnswered(int record, JournalPosition position)
    {
        lock (records)
        {
            foreach (var refused in records.Where(each => each.Value == Expectation.Refused && each.Key < record).ToArray())
            {
                records[refused.Key] = Expectation.Gone;
            }

            records[record] = Expectation.Committed;
            segmentOf[record] = position.Segment;
        }
    }

    private void DeleteSome()
    {
        var segments = journal!.Segments;
        if (segments.Count < 2)
        {
            return;
        }

        var target = segments[random.Next(segments.Count - 1)].Number;
        var all = random.Next(2) == 0;
        var expectation = Expectation.Deleted;
        try
        {
            if (all)
            {
                journal.DeleteBefore(target + 1);
            }
            else
            {
                journal.Delete(target);
            }

            expectation = Expectation.Gone;
        }
        catch (FileSystemException)
        {
            // Expected when a fault was injected: then it is open what is left.
        }

        foreach (var (record, _) in segmentOf.Where(each => all ? each.Value <= target : each.Value == target))
        {
            records[record] = expectation;
        }
    }

    private void Compare(IEnumerable<JournalRecord> found, bool isReopening)
    {
        var seen = new List<int>();
        var (fault, haltAt) = (Files.Fault, Files.HaltAt);
        (Files.Fault, Files.HaltAt) = (null, null); // what opening decided must be seen before anything is appended
        try
        {
            Collect(found, seen);
        }
        catch (FileSystemException) when (Files.IsDead)
        {
            return;
        }
        catch (FileNotFoundException) when (records.ContainsValue(Expectation.Deleted))
        {
            return; // the file went, but its deletion was reported as failed
        }
        finally
        {
            (Files.Fault, Files.HaltAt) = (fault, haltAt);
        }

        Assert.Equal(seen.Distinct().Order(), seen);
        foreach (var (record, expectation) in records.ToArray())
        {
            var isThere = seen.BinarySearch(record) >= 0;
            if (expectation is Expectation.Committed or Expectation.Gone || !isReopening)
            {
                Check(
                    expectation == Expectation.Deleted || isThere == (expectation == Expectation.Committed),
                    $"seed {seed}: record {record} is {(isThere ? "there" : "missing")}, expected: {expectation}");
            }
            else
            {
                records[record] = isThere ? Expectation.Committed : Expectation.Gone;
            }
        }

        foreach (var record in seen)
        {
            Check(records.ContainsKey(record), $"seed {seed}: record {record} was never appended");
        }

        lastCommitted = isReopening ? seen.LastOrDefault(lastCommitted) : lastCommitted;
    }

    private void Collect(IEnumerable<JournalRecord> found, List<int> seen)
    {
        uint? preambleOf = null;
        var told = 0;
        JournalPosition? end = null;
        foreach (var record in found)
        {
            var payload = record.Payload.Span;
            var number = BinaryPrimitives.ReadInt32LittleEndian(payload);
            Check(end is null || record.Position >= end, $"seed {seed}: {record.Position} comes after {end}");
            end = record.Next;
            if (record.IsPreamble)
            {
                (preambleOf, told) = (record.Position.Segment, number);
                Check(
                    seen.Count == 0 || number >= seen[^1],
                    $"seed {seed}: the preamble of segment {preambleOf} tells record {number}, before it stands {seen.LastOrDefault()}");
                continue;
            }

            Check(record.Position.Segment == preambleOf, $"seed {seed}: segment {record.Position.Segment} has no preamble");
            Check(number > told, $"seed {seed}: the preamble of segment {preambleOf} tells record {told} already, behind it stands {number}");
            Check(payload.SequenceEqual(PayloadOf(number, payload.Length)), $"seed {seed}: record {number} was changed");
            seen.Add(number);
            segmentOf[number] = record.Position.Segment;
        }
    }

    // Assert.True would format its message each time.
    private static void Check(bool holds, FormattableString message)
    {
        if (!holds)
        {
            Assert.Fail(FormattableString.Invariant(message));
        }
    }

    // More than a sector, so that a crash can tear it from the header and from the first group.
    private ReadOnlyMemory<byte> Preamble() => PayloadOf(lastCommitted, 700);

    private void OnCommitted(JournalPosition position, object? state)
    {
        var append = Assert.IsType<AppendState>(state);
        lastCommitted = append.Record;
        append.Hold?.Pass();
    }

    private static byte[] PayloadOf(int record, int size)
    {
        var payload = new byte[size];
        var state = (uint)record * 2654435761u; // cheaper than a seeded Random, and as different from record to record
        for (var at = 0; at < size; at++)
        {
            state = (state * 1664525u) + 1013904223u;
            payload[at] = (byte)(state >> 24);
        }

        BinaryPrimitives.WriteInt32LittleEndian(payload, record);
        return payload;
    }

    private sealed record AppendState(int Record, Hold? Hold);

    private sealed class Hold : IDisposable
    {
        private readonly TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim open = new();

        public Task Entered => entered.Task;

        public void Open() => open.Set();

        public void Pass()
        {
            entered.SetResult();
            open.Wait();
        }

        public void Dispose() => open.Dispose();
    }
}
