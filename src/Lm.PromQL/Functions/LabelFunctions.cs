using Lm.Platform;
using Lm.Tsdb;

namespace Lm.PromQL.Functions;

/// <summary><c>label_replace</c> and <c>label_join</c>: new labels, the values stay.</summary>
internal static class LabelFunctions
{
    public static List<StepSeries> Replace(FunctionCall call, Evaluator evaluator, TimeGrid grid)
    {
        var target = Evaluator.Text(call.Arguments[1]);
        var template = Evaluator.Text(call.Arguments[2]);
        var source = Evaluator.Text(call.Arguments[3]);
        var pattern = Evaluator.Text(call.Arguments[4]);
        var list = evaluator.Vector(call.Arguments[0], grid); // first: of several faults, that of the data is told
        if (!AnchoredRegex.TryParse(pattern, out var regex, out _))
        {
            throw QueryException.Execution("invalid regular expression in label_replace(): " + pattern);
        }

        CheckName(target, "destination label name in label_replace()", evaluator.Scope);
        return Relabelled(
            list,
            labels => regex!.TryExpand(labels.ValueOf(source), template, out var value) ? labels.With(target, value) : labels,
            evaluator.Scope, grid);
    }

    public static List<StepSeries> Join(FunctionCall call, Evaluator evaluator, TimeGrid grid)
    {
        var target = Evaluator.Text(call.Arguments[1]);
        var separator = Evaluator.Text(call.Arguments[2]);
        var sources = call.Arguments.Skip(3).Select(Evaluator.Text).ToArray();
        var list = evaluator.Vector(call.Arguments[0], grid);
        foreach (var source in sources)
        {
            CheckName(source, "source label name in label_join()", evaluator.Scope);
        }

        CheckName(target, "destination label name in label_join()", evaluator.Scope);
        return Relabelled(
            list,
            labels => labels.With(target, string.Join(separator, sources.Select(labels.ValueOf))),
            evaluator.Scope, grid);
    }

    private static void CheckName(string name, string what, QueryScope scope)
    {
        if (!LabelNames.IsValid(name, scope.Semantics))
        {
            throw QueryException.Execution($"invalid {what}: {name}");
        }
    }

    private static List<StepSeries> Relabelled(List<StepSeries> list, Func<LabelSet, LabelSet> change, QueryScope scope, TimeGrid grid)
    {
        var merger = new SeriesMerger();
        foreach (var series in list)
        {
            scope.Budget.Work(500);
            series.Labels = change(series.Labels);
            merger.Add(series);
        }

        return merger.Result(mayMerge: grid.Count > 1);
    }
}
