using Lm.Platform;
using Lm.Platform.Files;
using Lm.TestKit;
using Lm.Tsdb.Blocks;
using Lm.Tsdb.Head;
using SeriesHead = Lm.Tsdb.Head.Head;

namespace Lm.Tsdb.Tests.Head;

/// <summary>A head with its log and its blocks, as the collector runs them, beside a dictionary that says what must be there: of each series and time the sample that
/// was committed first.</summary>
internal sealed class HeadMachine
{
    public const string HeadFolder = "/data/head";
    public const string BlockFolder = "/data/blocks";
    public const int Interval = 15_000;

    public static readonly Guid Incarnation = new("00112233-4455-6677-8899-aabbccddeeff");

    private readonly List<FrozenRange> frozen = [];
    private readonly Dictionary<(int Series, long Time), long> model = [];
    private readonly HeadOptions options;
    private HeadRows? rows;
    private int[] ids = [];
    private int generation = -1;
    private BlockSet? blocks;

    public HeadMachine(MemoryFileSystem files, HeadOptions? changed = null)
    {
        Files = files;
        files.CreateDirectory(HeadFolder);
        options = (changed ?? new HeadOptions { Directory = HeadFolder, Incarnation = Incarnation, BlockHours = 1, Backfill = TimeSpan.FromDays(10), LateBytesMax = 400_000 }) with
        {
            Time = Time
        };
        Now = Time.GetUtcNow().ToUnixTimeMilliseconds() / Interval * Interval;
        Open();
    }

    public ManualTime Time { get; } = new();

    public MemoryFileSystem Files { get; private set; }

    public SeriesHead Head { get; private set; } = null!;

    public HeadOpening Opening { get; private set; } = null!;

    public List<Batch> Log { get; } = [];

    public long Now { get; private set; }

    public CommitPosition Position => new(0, Log.Count);

    public IReadOnlyCollection<BlockMeta> Blocks => [.. blocks!.Metas];

    public static LabelSet LabelsOf(int series) =>
        new(new Label("__name__", series % 2 == 0 ? "load" : "temperature"), new Label("host", "web-" + series), new Label("zone", (series % 3).ToString(System.Globalization.CultureInfo.InvariantCulture)));

    public void Advance(TimeSpan by)
    {
        Time.Advance(by);
        Now += (long)by.TotalMilliseconds;
    }

    /// <summary>Commits a batch, and gives it to the head.</summary>
    public AppendOutcome[] Append(params Sample[] samples)
    {
        var batch = new Batch(new UnixMillis(Now), samples);
        Log.Add(batch);
        foreach (var (series, time, value) in samples)
        {
            if (time >= Now - (long)options.Backfill.TotalMilliseconds && time <= Now + (long)options.AheadMax.TotalMilliseconds)
            {
                model.TryAdd((series, time), BitConverter.DoubleToInt64Bits(value));
            }
        }

        return Apply(batch);
    }

    public void Checkpoint() => Head.Checkpoint(Position);

    /// <summary>Writes ranges to blocks, as far as nothing fails; those that were begun before are tried again first.</summary>
    public void WriteBlocks(bool dueOnly, Action? between = null)
    {
        Checkpoint();
        foreach (var range in dueOnly ? Head.DueRanges() : Head.AllRanges())
        {
            frozen.Add(Head.Freeze(range));
        }

        between?.Invoke();
        foreach (var each in frozen.ToArray())
        {
            Write(each);
            Head.Drop(each);
            frozen.Remove(each);
        }
    }

    /// <summary>Writes a range to a block as far as it can be read.</summary>
    public FrozenContent WriteOnce(FrozenRange each)
    {
        using var existing = new ExistingSamples(blocks!, each.Range.From, each.Range.Until);
        using var block = blocks!.Write(each.Range.From, each.Range.Until + 1);
        var content = each.WriteTo(block, existing, CancellationToken.None);
        if (block.Commit(new BlockProvenance { IsLate = each.Range.IsLate, Coverage = each.Coverage }) is { } meta)
        {
            Assert.Equal(content.Samples, meta.Stats.Samples);
            blocks.Add(meta.Id);
        }

        return content;
    }

    /// <summary>The machine after a crash, its log replayed.</summary>
    public void Restart(MemoryFileSystem survivor)
    {
        Files = survivor;
        Open();
        for (var i = (int)Opening.ReplayFrom.Offset; i < Log.Count; i++)
        {
            Apply(Log[i]);
        }
    }

    /// <summary>What is there and must not be, or must be there and is not; empty when all is right.</summary>
    public string Difference()
    {
        using var selection = new SeriesStore(Head, blocks!).Find([], long.MinValue, long.MaxValue, CancellationToken.None);
        var found = new Dictionary<(int, long), long>();
        var (buffer, newest) = (new SampleBuffer(), new SampleBuffer());
        for (var i = 0; i < selection.Count; i++)
        {
            var series = int.Parse(selection.Labels(i).ValueOf("host").AsSpan(4), System.Globalization.CultureInfo.InvariantCulture);
            if (!selection.Labels(i).Equals(LabelsOf(series)))
            {
                return $"labels {selection.Labels(i)}";
            }

            buffer.Clear();
            selection.Read(i, long.MinValue, long.MaxValue, buffer);
            for (var at = 0; at < buffer.Count; at++)
            {
                if (at > 0 && buffer.Times[at] <= buffer.Times[at - 1])
                {
                    return $"series {series}: time {buffer.Times[at]} comes behind {buffer.Times[at - 1]}";
                }

                found.Add((series, buffer.Times[at]), BitConverter.DoubleToInt64Bits(buffer.Values[at]));
            }

            foreach (var at in buffer.Count == 0 ? (int[])[] : [buffer.Count - 1, buffer.Count / 2])
            {
                var until = at == buffer.Count - 1 ? long.MaxValue : buffer.Times[at];
                newest.Clear();
                selection.ReadNewest(i, long.MinValue, until, newest);
                if (newest.Count == 0 || newest.Times[^1] != buffer.Times[at] || !newest.Values[^1].Equals(buffer.Values[at]))
                {
                    return $"series {series}: the newest until {until} is not that of {buffer.Times[at]}";
                }
            }
        }

        foreach (var (key, value) in model)
        {
            if (!found.TryGetValue(key, out var there))
            {
                return $"series {key.Series} at {key.Time} is missing, {model.Count - found.Count} in all";
            }

            if (there != value)
            {
                return $"series {key.Series} at {key.Time} is {BitConverter.Int64BitsToDouble(there)}, not {BitConverter.Int64BitsToDouble(value)}";
            }
        }

        return found.Count == model.Count ? "" : $"{found.Count - model.Count} samples too many";
    }

    /// <summary>Samples that blocks hold, each block's counted: more than distinct ones means that some are in two.</summary>
    public long SamplesInBlocks() => blocks!.Metas.Sum(meta => meta.Stats.Samples);

    private void Open()
    {
        frozen.Clear();
        (rows, ids, generation) = (null, [], -1);
        blocks = BlockSet.Open(Files, BlockFolder, Time);
        Head = SeriesHead.Open(Files, options, out var opening);
        Opening = opening;
    }

    private void Write(FrozenRange each)
    {
        using var existing = new ExistingSamples(blocks!, each.Range.From, each.Range.Until);
        using var block = blocks!.Write(each.Range.From, each.Range.Until + 1);
        var content = each.WriteTo(block, existing, CancellationToken.None);
        if (content.ChunksUnreadable > 0)
        {
            throw new FileSystemException("read", HeadFolder, 5, content.Damage); // a call failed: again later, and nothing is dropped
        }

        if (content.Samples > 0)
        {
            var meta = block.Commit(new BlockProvenance { IsLate = each.Range.IsLate, Coverage = each.Coverage });
            Assert.Equal(content.Samples, meta!.Stats.Samples);
            blocks.Add(meta.Id);
        }
    }

    private AppendOutcome[] Apply(Batch batch)
    {
        var outcomes = new AppendOutcome[batch.Samples.Length];
        using var scope = Head.EnterBatch(batch.ReceivedAt);
        if (generation != Head.RemovalGeneration)
        {
            if (rows is not null)
            {
                Head.Release(rows);
            }

            (rows, ids, generation) = (null, [], Head.RemovalGeneration);
        }

        if (TryApplyRow(batch))
        {
            return outcomes;
        }

        for (var i = 0; i < batch.Samples.Length; i++)
        {
            var (series, time, value) = batch.Samples[i];
            outcomes[i] = Head.Append(Head.FindOrAdd(LabelsOf(series)), time, value);
        }

        return outcomes;
    }

    // As the collector does: one sample for each series of a shape that it has seen before, all of one time.
    private bool TryApplyRow(Batch batch)
    {
        var samples = batch.Samples;
        if (samples.Length < 2 || samples.Select(sample => sample.Series).Distinct().Count() < samples.Length || samples.Any(sample => sample.Time != samples[0].Time))
        {
            return false;
        }

        var found = samples.Select(sample => Head.FindOrAdd(LabelsOf(sample.Series))).ToArray();
        if (rows is null || rows.IsReleased || !found.AsSpan().SequenceEqual(ids))
        {
            if (rows is not null)
            {
                Head.Release(rows);
            }

            (rows, ids) = (Head.TryClaim(found), found);
        }

        for (var i = 0; i < samples.Length; i++)
        {
            rows!.Next[i] = samples[i].Value;
        }

        return Head.TryAppendRow(rows!, samples[0].Time);
    }

    internal readonly record struct Sample(int Series, long Time, double Value);

    internal sealed record Batch(UnixMillis ReceivedAt, Sample[] Samples);
}
