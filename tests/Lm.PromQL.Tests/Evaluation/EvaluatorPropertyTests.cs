using FsCheck;
using FsCheck.Fluent;
using Lm.Tsdb;

namespace Lm.PromQL.Tests.Evaluation;

public sealed class EvaluatorPropertyTests
{
    [Fact]
    public void Random_queries_answer_as_a_naive_evaluator_does_in_both_generations() =>
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), CheckBoth).Check(Config.QuickThrowOnFailure.WithMaxTest(1500));

    private static void CheckBoth(int seed)
    {
        Compare(seed, PromSemantics.V3);
        Compare(seed, PromSemantics.V2);
    }

    private static void Compare(int seed, PromSemantics semantics)
    {
        var random = new RandomQuery(seed);
        var reader = new WatchedReader(random.Series());
        var query = random.Vector(3);
        Assert.True(PromParser.TryParse(query, semantics, out var expression, out var fault), $"{query}: {fault}");
        var (start, step) = (60_000L * (1 + (seed % 10)), 1000L * (1 + (seed % 97)));
        var end = start + (step * (seed % 23));
        var about = $"seed {seed}, {semantics}, {start}..{end} step {step}: {query}";

        Dictionary<(LabelSet, long), double>? found = null;
        string? refusal = null;
        try
        {
            found = Ask(reader, expression!, semantics, start, end, step);
        }
        catch (QueryException e)
        {
            refusal = e.Message;
        }

        Assert.Equal(0, reader.Open);
        var expected = Expect(reader, expression!, semantics, start, end, step);
        if (refusal is not null && expected is not null)
        {
            // Range functions see all steps at once, and so refuse series that become the same even if they never meet.
            Assert.True(refusal == SeriesMerger.DuplicateFault, $"{about} was refused: {refusal}");
            return;
        }

        Assert.True(refusal is not null == expected is null, $"{about} should have been refused");
        if (found is null)
        {
            return;
        }

        foreach (var (place, value) in expected!)
        {
            Assert.True(found.TryGetValue(place, out var got), $"{about}: nothing at {place}");
            Assert.True(AreClose(value, got), $"{about}: {got} at {place}, not {value}");
        }

        Assert.True(found.Count == expected.Count, $"{about}: more than expected, such as {found.Keys.FirstOrDefault(place => !expected.ContainsKey(place))}");
    }

    private static Dictionary<(LabelSet, long), double> Ask(ISeriesReader reader, Expression expression, PromSemantics semantics, long start, long end, long step)
    {
        var engine = new QueryEngine(reader, new QueryEngineOptions { Semantics = semantics });
        var matrix = Assert.IsType<MatrixValue>(engine.Range(expression, start, end, step, TestContext.Current.CancellationToken).Value);
        var found = new Dictionary<(LabelSet, long), double>();
        foreach (var series in matrix.Series)
        {
            for (var i = 0; i < series.Times.Length; i++)
            {
                found.Add((series.Labels, series.Times.Span[i]), series.Values.Span[i]);
            }
        }

        return found;
    }

    private static Dictionary<(LabelSet, long), double>? Expect(ISeriesReader reader, Expression expression, PromSemantics semantics, long start, long end, long step)
    {
        var naive = new NaiveEvaluator(reader, semantics, 300_000, 60_000, start, end);
        var expected = new Dictionary<(LabelSet, long), double>();
        try
        {
            for (var time = start; time <= end; time += step)
            {
                foreach (var (labels, value) in naive.Vector(expression, time))
                {
                    expected.Add((labels, time), value);
                }
            }
        }
        catch (QueryException)
        {
            return null;
        }

        return expected;
    }

    private static bool AreClose(double left, double right) =>
        left.Equals(right) || Math.Abs(left - right) <= 1e-9 * (1 + Math.Abs(left) + Math.Abs(right));
}
