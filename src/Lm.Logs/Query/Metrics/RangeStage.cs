using System.Text;
using Lm.Logs.Lines;
using Lm.Logs.Query.Pipeline;

namespace Lm.Logs.Query.Metrics;

/// <summary>Adds lines up while they are in the store's hands; none of them leaves it. One for each thread.</summary>
internal sealed class RangeStage : ILineStage<bool>
{
    private const int CellsOfPlaced = 4; // what a number with its line's place is counted as, by its bytes
    private const string SampleError = "SampleExtractionErr";

    private readonly RangeAggregation range;
    private readonly MetricGrid grid;
    private readonly MetricBudget budget;
    private readonly SeriesLabels series;
    private readonly LinePipeline pipeline;
    private readonly ILabelTest[] unwrapFilters;
    private readonly bool keepsValues;
    private readonly bool keepsPlaces;

    private readonly Dictionary<byte[], Accumulator> accumulators = new(Utf8Comparer.Instance);
    private readonly Dictionary<byte[], Accumulator>.AlternateLookup<ReadOnlySpan<byte>> lookup;
    private readonly Dictionary<LogStream, Accumulator> ofStreams = [];
    private LogStream? lastStream;
    private Accumulator? lastAccumulator;

    /// <summary>For one thread.</summary>
    /// <param name="range">What is calculated.</param>
    /// <param name="program">Its stages.</param>
    /// <param name="grouping">Which labels the series have; null for all.</param>
    /// <param name="grid">The times.</param>
    /// <param name="budget">What the query may hold.</param>
    /// <param name="withLevel">Whether <see cref="DetectedLevel"/> is one of all labels.</param>
    public RangeStage(RangeAggregation range, PipelineProgram program, Grouping? grouping, MetricGrid grid, MetricBudget budget, bool withLevel)
    {
        (this.range, this.grid, this.budget) = (range, grid, budget);
        series = new SeriesLabels(grouping, range.Unwrap?.Label, withLevel);
        keepsValues = range.Unwrap is not null && range.Operation != RangeOperation.Absent;
        keepsPlaces = keepsValues && range.Operation is RangeOperation.First or RangeOperation.Last or RangeOperation.RateCounter;
        unwrapFilters = [.. (range.Unwrap?.Filters ?? EquatableList<LabelCondition>.Empty).Select(LabelTests.Of)];
        pipeline = program.Create(WantedOf(program, grouping));
        lookup = accumulators.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>What was added up.</summary>
    public IReadOnlyDictionary<byte[], Accumulator> Accumulators => accumulators;

    public bool TryTake(in LogLine line, out bool taken)
    {
        taken = false;
        if (!pipeline.TryRun(line, out var body))
        {
            return false;
        }

        var time = line.Time + range.OffsetMs;
        var first = Math.Max(0, CeilingOf(time - grid.Start, grid.Step));
        var last = Math.Min(grid.Count - 1, FloorOf(time + range.RangeMs - 1 - grid.Start, grid.Step));
        if (first > last || !TryNumber(out var number))
        {
            return false;
        }

        CheckError();
        var accumulator = AccumulatorOf(line);
        if (keepsValues)
        {
            budget.TakeSamples(keepsPlaces ? CellsOfPlaced : 1);
            accumulator.Add(LogKey.Of(line), number);
        }
        else
        {
            accumulator.Add((int)first, (int)last, body.Length);
        }

        return false;
    }

    /// <summary>Nothing: no line is taken; what is added up counts for the budget.</summary>
    public long SizeOf(bool taken) => 0;

    private HashSet<string>? WantedOf(PipelineProgram program, Grouping? grouping)
    {
        if (grouping is null or { IsWithout: true })
        {
            return null; // all labels are part of the series
        }

        var wanted = program.LabelsAskedFor();
        wanted.UnionWith(grouping.Names);
        if (range.Unwrap is { } unwrap)
        {
            wanted.Add(unwrap.Label);
            foreach (var filter in unwrap.Filters)
            {
                PipelineProgram.AddLabels(filter, wanted);
            }
        }

        return wanted;
    }

    // The unwrapped number; a label that is none notes an error, which a filter behind unwrap may take out.
    private bool TryNumber(out double number)
    {
        number = 0;
        if (range.Unwrap is not { } unwrap)
        {
            return true;
        }

        var context = pipeline.Context;
        var found = context.Labels.Find(unwrap.Label);
        if (found < 0)
        {
            return false; // lines without the label are no part of it
        }

        var text = context.Labels[found].Value;
        if (!QuantityTest.TryRead(unwrap.Kind, text, out number))
        {
            context.Labels.SetError(SampleError, $"{unwrap.Label} is no {unwrap.Kind.ToString().ToLowerInvariant()}: {Encoding.UTF8.GetString(text[..Math.Min(64, text.Length)])}");
        }

        number = unwrap.Kind == QuantityKind.Duration ? number / 1e9 : number;
        foreach (var filter in unwrapFilters)
        {
            if (!filter.Holds(context))
            {
                return false;
            }
        }

        return true;
    }

    private void CheckError()
    {
        var context = pipeline.Context;
        if (context.HasOwnLabels || context.Labels.Find(LabelNames.Error) is not (>= 0 and var found))
        {
            return;
        }

        var error = Encoding.UTF8.GetString(context.Labels[found].Value);
        var details = Encoding.UTF8.GetString(context.Labels.ValueOf(LabelNames.ErrorDetails));
        throw new LogQueryException(
            $"a line cannot be calculated with: {error}: {details}; leave such lines out with | __error__=\"\" behind the stage, or take them with | drop __error__, __error_details__");
    }

    private Accumulator AccumulatorOf(in LogLine line)
    {
        var isOfStream = pipeline.Context.HasOwnLabels && line.Attributes.Count == 0;
        if (isOfStream && ReferenceEquals(line.Stream, lastStream))
        {
            return lastAccumulator!;
        }

        if (!isOfStream)
        {
            return Find();
        }

        if (!ofStreams.TryGetValue(line.Stream, out var accumulator))
        {
            ofStreams[line.Stream] = accumulator = Find();
        }

        (lastStream, lastAccumulator) = (line.Stream, accumulator);
        return accumulator;
    }

    private Accumulator Find()
    {
        var key = series.KeyOf(pipeline.Context.Labels);
        if (lookup.TryGetValue(key, out var accumulator))
        {
            return accumulator;
        }

        budget.CheckSeries(accumulators.Count + 1);
        budget.TakeCells(Accumulator.CellsOf(grid, keepsValues));
        accumulator = new Accumulator(series.LabelsOf(pipeline.Context.Labels), grid, keepsValues, keepsPlaces);
        accumulators[key.ToArray()] = accumulator;
        return accumulator;
    }

    private static long FloorOf(long value, long step) => value >= 0 ? value / step : -((-value + step - 1) / step);

    private static long CeilingOf(long value, long step) => -FloorOf(-value, step);
}
