using System.Globalization;
using System.Text.RegularExpressions;
using Lm.Tsdb;

namespace Lm.PromQL.Tests.Scripts;

/// <summary>Runs a script and notes every case that does not come out as it says.</summary>
internal sealed class ScriptRunner(PromSemantics semantics, Func<MemorySeries, QueryEngine> engineOf)
{
    private readonly MemorySeries series = new();
    private readonly List<LabelSet> nativeHistograms = [];

    /// <summary>What went wrong, each with its line.</summary>
    public List<string> Failures { get; } = [];

    /// <summary>Cases left out, each with its line and the reason.</summary>
    public List<string> LeftOut { get; } = [];

    /// <summary>How many cases ran.</summary>
    public int Ran { get; private set; }

    /// <summary>Runs all commands.</summary>
    public void Run(Script script)
    {
        foreach (var command in script.Commands)
        {
            switch (command)
            {
                case ClearCommand:
                    series.Clear();
                    nativeHistograms.Clear();
                    break;
                case LoadCommand load:
                    Load(load);
                    break;
                case EvalCommand eval:
                    Evaluate(eval);
                    break;
            }
        }
    }

    private void Load(LoadCommand load)
    {
        foreach (var line in load.Series)
        {
            var (labels, rest) = Script.ParseLabels(line);
            if (rest.Contains("{{", StringComparison.Ordinal))
            {
                nativeHistograms.Add(labels);
                continue;
            }

            var points = Script.ParsePoints(rest);
            for (var i = 0; i < points.Count; i++)
            {
                if (points[i] is { } value)
                {
                    series.Add(labels, i * load.Step, value);
                }
            }
        }
    }

    private void Evaluate(EvalCommand eval)
    {
        var isRead = PromParser.TryParse(eval.Query, semantics, out var expression, out var fault);
        if (ReasonToLeaveOut(eval, fault.Message) is { } reason)
        {
            LeftOut.Add($"{eval.Line}: {reason}: {eval.Query}");
            return;
        }

        // Native histograms are not stored. Much is the same without them; what is not needs them, and the list of those is held to the documentation.
        var failed = Failures.Count;
        Check(eval, isRead, expression, fault);
        if (Failures.Count > failed && expression is not null && SelectsHistograms(expression))
        {
            Failures.RemoveRange(failed, Failures.Count - failed);
            LeftOut.Add($"{eval.Line}: native histogram: {eval.Query}");
            return;
        }

        Ran++;
    }

    private void Check(EvalCommand eval, bool isRead, Expression? expression, ParseFault fault)
    {
        try
        {
            if (!isRead)
            {
                throw new QueryException(QueryFault.Execution, fault.ToString());
            }

            Compare(eval, expression!);
        }
        catch (QueryException exception) when (eval.MustFail)
        {
            CheckFailure(eval, exception.Message);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            Failures.Add($"{eval.Line}: {eval.Query}: {exception.GetType().Name}: {exception.Message} {exception.StackTrace?.Split('\n').FirstOrDefault(frame => frame.Contains(" in ", StringComparison.Ordinal))?.Trim()}");
        }
    }

    private static string? ReasonToLeaveOut(EvalCommand eval, string? fault)
    {
        if (fault is not null && (fault.Contains("is not enabled", StringComparison.Ordinal) || fault.Contains("experimental", StringComparison.Ordinal)
            || fault.Contains("not enabled", StringComparison.Ordinal)))
        {
            return "experimental";
        }

        var wantsHistograms = fault?.Contains("native histogram", StringComparison.Ordinal) == true
            || eval.Expected.Any(line => line.Contains("{{", StringComparison.Ordinal));
        return wantsHistograms ? "native histogram" : null;
    }

    private bool SelectsHistograms(Expression expression) =>
        SelectorsOf(expression).Any(selector => nativeHistograms.Exists(labels => selector.Matchers.All(matcher => matcher.Matches(labels.ValueOf(matcher.Name)))));

    private static IEnumerable<VectorSelector> SelectorsOf(Expression expression) => expression switch
    {
        VectorSelector selector => [selector],
        MatrixSelector matrix => [matrix.Selector],
        Subquery subquery => SelectorsOf(subquery.Inner),
        Parenthesized parenthesized => SelectorsOf(parenthesized.Inner),
        Unary unary => SelectorsOf(unary.Inner),
        Binary binary => SelectorsOf(binary.Left).Concat(SelectorsOf(binary.Right)),
        Aggregation aggregation => SelectorsOf(aggregation.Inner).Concat(aggregation.Parameter is { } parameter ? SelectorsOf(parameter) : []),
        FunctionCall call => call.Arguments.SelectMany(SelectorsOf),
        _ => [],
    };

    private void Compare(EvalCommand eval, Expression expression)
    {
        var engine = engineOf(series);
        var result = eval.Step == 0
            ? engine.Instant(expression, eval.Start, CancellationToken.None)
            : engine.Range(expression, eval.Start, eval.End, eval.Step, CancellationToken.None);
        if (eval.MustFail)
        {
            Failures.Add($"{eval.Line}: {eval.Query}: must fail, gave {Show(result.Value)}");
            return;
        }

        CheckAnnotations(eval, result);
        if (FaultOf(eval, result.Value) is { } fault)
        {
            Failures.Add($"{eval.Line}: {eval.Query}: {fault}; it gave {Show(result.Value)}");
            return;
        }

        if (eval.Step == 0 && !eval.IsOrdered && result.Value is not (MatrixValue or TextValue) && !eval.Query.Contains("range()", StringComparison.Ordinal))
        {
            CompareAsRange(eval, expression, engine);
        }
    }

    // As upstream: the same in the middle of a range of three steps.
    private void CompareAsRange(EvalCommand eval, Expression expression, QueryEngine engine)
    {
        const long minute = 60_000;
        var matrix = (MatrixValue)engine.Range(expression, eval.Start - minute, eval.Start + minute, minute, CancellationToken.None).Value;
        var samples = new List<VectorSample>();
        foreach (var one in matrix.Series)
        {
            var index = one.Times.Span.IndexOf(eval.Start);
            if (index >= 0)
            {
                samples.Add(new VectorSample(one.Labels, eval.Start, one.Values.Span[index]));
            }
        }

        QueryValue value = expression.Kind == ValueKind.Scalar ? new ScalarValue(eval.Start, samples[0].Value) : new VectorValue(samples);
        if (FaultOf(eval, value) is { } fault)
        {
            Failures.Add($"{eval.Line}: {eval.Query} as range: {fault}; it gave {Show(value)}");
        }
    }

    private static string? FaultOf(EvalCommand eval, QueryValue value) => value switch
    {
        TextValue text => text.Value == eval.Text ? null : $"\"{eval.Text}\" is expected",
        ScalarValue scalar => eval.Expected.Count == 1 && AreClose(Script.ParseNumber(eval.Expected[0]), scalar.Value) ? null : "another number is expected",
        VectorValue vector => FaultOf(eval, [.. vector.Samples.Select(sample => new MatrixSeries(sample.Labels, new[] { eval.Start }, new[] { sample.Value }))]),
        MatrixValue matrix => FaultOf(eval, matrix.Series),
        _ => "unknown kind",
    };

    private static string? FaultOf(EvalCommand eval, IReadOnlyList<MatrixSeries> got)
    {
        var expected = eval.Expected.Select(ParseExpected).ToList();
        if (expected.Count != got.Count)
        {
            return $"{expected.Count} series are expected";
        }

        for (var i = 0; i < expected.Count; i++)
        {
            var (labels, points) = expected[i];
            var found = eval.IsOrdered ? (got[i].Labels.Equals(labels) ? got[i] : null) : got.FirstOrDefault(one => one.Labels.Equals(labels));
            if (found is null)
            {
                return $"{labels} is expected{(eval.IsOrdered ? $" at {i}" : "")}";
            }

            if (FaultOf(eval, points, found) is { } fault)
            {
                return $"{labels}: {fault}";
            }
        }

        return null;
    }

    private static string? FaultOf(EvalCommand eval, IReadOnlyList<double?> expected, MatrixSeries got)
    {
        var at = 0;
        for (var i = 0; i < expected.Count; i++)
        {
            var time = eval.Start + (i * eval.Step);
            var isThere = at < got.Times.Length && got.Times.Span[at] == time;
            if (expected[i] is null != !isThere)
            {
                return string.Create(CultureInfo.InvariantCulture, $"at {time} ms {(isThere ? "no" : "a")} sample is expected");
            }

            if (isThere && !AreClose(expected[i]!.Value, got.Values.Span[at++]))
            {
                return string.Create(CultureInfo.InvariantCulture, $"at {time} ms {expected[i]} is expected");
            }
        }

        return at == got.Times.Length ? null : "it has more samples than are expected";
    }

    private static (LabelSet Labels, IReadOnlyList<double?> Points) ParseExpected(string line)
    {
        // A bare number is the value of a series without labels.
        if (Regex.IsMatch(line, @"^[-+]?(?:[0-9.]+(?:e[-+]?[0-9]+)?|NaN|Inf)$", RegexOptions.IgnoreCase))
        {
            return (new LabelSet(), [Script.ParseNumber(line)]);
        }

        var (labels, rest) = Script.ParseLabels(line);
        return (labels, Script.ParsePoints(rest));
    }

    private static bool AreClose(double expected, double got)
    {
        if (double.IsNaN(expected) || double.IsNaN(got))
        {
            return double.IsNaN(expected) && double.IsNaN(got);
        }

        if (expected == got)
        {
            return true;
        }

        var (sum, difference) = (Math.Abs(expected) + Math.Abs(got), Math.Abs(expected - got));
        return double.IsFinite(sum) && difference / sum < 1e-6;
    }

    private void CheckFailure(EvalCommand eval, string message)
    {
        foreach (var expectation in eval.Expectations.Where(expectation => expectation is { Kind: "fail", Text: not null }))
        {
            if (!Agrees(expectation, message))
            {
                Failures.Add($"{eval.Line}: {eval.Query}: fails with \"{message}\" instead of \"{expectation.Text}\"");
            }
        }
    }

    private void CheckAnnotations(EvalCommand eval, QueryResult result)
    {
        foreach (var expectation in eval.Expectations)
        {
            var given = expectation.Kind.EndsWith("warn", StringComparison.Ordinal) ? result.Warnings : result.Infos;
            var isMet = expectation.Kind switch
            {
                "warn" or "info" => given.Count > 0 && (expectation.Text is null || given.Any(text => Agrees(expectation, text))),
                "no_warn" or "no_info" => given.Count == 0,
                _ => true,
            };
            if (!isMet)
            {
                Failures.Add($"{eval.Line}: {eval.Query}: {expectation.Kind} {expectation.Text} is expected, not [{string.Join(" | ", given)}]");
            }
        }
    }

    private static bool Agrees(Expectation expectation, string text) =>
        expectation.Text is null || (expectation.IsRegex ? Regex.IsMatch(text, expectation.Text) : text == expectation.Text);

    private static string Show(QueryValue value) => value switch
    {
        ScalarValue scalar => scalar.Value.ToString(CultureInfo.InvariantCulture),
        TextValue text => text.Value,
        VectorValue vector => "[" + string.Join(" | ", vector.Samples.Take(20).Select(sample => string.Create(CultureInfo.InvariantCulture, $"{sample.Labels} {sample.Value:R}"))) + "]",
        MatrixValue matrix => "[" + string.Join(" | ", matrix.Series.Take(20).Select(one => $"{one.Labels} {string.Join(' ', one.Values.ToArray().Select(number => number.ToString("R", CultureInfo.InvariantCulture)))} @ {string.Join(' ', one.Times.ToArray())}")) + "]",
        _ => "",
    };
}
