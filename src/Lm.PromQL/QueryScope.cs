using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary>What all parts of one query's evaluation share.</summary>
/// <param name="Reader">Where series come from.</param>
/// <param name="Options">The engine's options.</param>
/// <param name="Budget">Samples and time.</param>
/// <param name="Annotations">Warnings and infos.</param>
/// <param name="Start">The query's first time, that <c>@ start()</c> means.</param>
/// <param name="End">The query's last time as it was asked for, that <c>@ end()</c> means.</param>
internal sealed record QueryScope(
    ISeriesReader Reader, QueryEngineOptions Options, QueryBudget Budget, Annotations Annotations, long Start, long End)
{
    public PromSemantics Semantics => Options.Semantics;

    /// <summary>Whether <c>@</c> means what it means in the parameter of an aggregation of Prometheus 2.42, which overlooks it there: <c>start()</c> and <c>end()</c>
    /// nothing, and a time where to look at the first step, from where the look moves on with the steps.</summary>
    public bool OverlooksPins { get; init; }

    /// <summary>The series that match, in the order in which they are added up and in which ties are broken.</summary>
    /// <remarks>Prometheus 2.42 goes through them sorted by labels. Prometheus 3 takes what storage gives first, and so do its answers here.</remarks>
    public ISeriesSelection Find(IReadOnlyList<LabelMatcher> matchers, long from, long until)
    {
        var found = Reader.Find(matchers, from, until, Budget.Ending);
        Budget.Series += found.Count;
        return Semantics == PromSemantics.V2 && found.Count > 1 ? SortedSelection.Of(found) : found;
    }

    /// <summary>The times that a selector looks at, one for each step; all the same when it is pinned.</summary>
    public TimeGrid Shift(TimeGrid grid, TimeShift shift) => shift.Pin switch
    {
        TimePin.At when OverlooksPins => grid with { Start = grid.Start - (Start - shift.PinnedMs) - shift.OffsetMs },
        TimePin.Start or TimePin.End when OverlooksPins => grid with { Start = grid.Start - shift.OffsetMs },
        TimePin.At => grid with { Start = shift.PinnedMs - shift.OffsetMs, Step = 0 },
        TimePin.Start => grid with { Start = Start - shift.OffsetMs, Step = 0 },
        TimePin.End => grid with { Start = End - shift.OffsetMs, Step = 0 },
        _ => grid with { Start = grid.Start - shift.OffsetMs },
    };
}
