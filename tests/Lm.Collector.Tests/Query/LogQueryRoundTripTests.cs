using FsCheck;
using FsCheck.Fluent;
using Lm.Collector.Tests.Query.Differential;
using Lm.Logs.Query;

namespace Lm.Collector.Tests.Query;

public sealed class LogQueryRoundTripTests
{
    [Fact]
    public void A_printed_query_reads_back_as_the_same() => Prop.ForAll(Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), seed =>
    {
        var (text, isMetric) = new RandomLogQueries(new Random(seed)).Next();

        Assert.True(LogQuery.TryParse(text, out var query, out var fault), $"{text}: {fault}");
        Assert.Equal(isMetric, query!.IsMetric);
        Assert.True(LogQuery.TryParse(query.ToString(), out var again, out fault), $"{query}: {fault}");
        Assert.Equal(query.ToString(), again!.ToString());
    }).QuickCheckThrowOnFailure();
}
