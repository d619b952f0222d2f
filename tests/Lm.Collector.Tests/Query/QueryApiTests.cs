using System.Net;
using Lm.Collector.Series;
using Lm.Collector.Tests.Series;
using Label = Lm.Protocol.Label;
using MetricType = Lm.Protocol.MetricType;

namespace Lm.Collector.Tests.Query;

public sealed class QueryApiTests
{
    private const long Now = 1_767_323_045_000; // ManualTime's start

    [Theory]
    [InlineData("query_range?query=sum(a)&start=1767323040&end=1767323045&step=5", """{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1767323045,"3"]]}]}}""")]
    [InlineData("query?query=time()", """{"status":"success","data":{"resultType":"scalar","result":[1767323045,"1767323045"]}}""")]
    [InlineData("query?query=time()&time=NaN", """{"status":"success","data":{"resultType":"scalar","result":[-9223372036.854,"-9223372036.854"]}}""")]
    [InlineData("query?query=1&time=-inf", """{"status":"success","data":{"resultType":"scalar","result":[-9223372036.854,"1"]}}""")]
    [InlineData("query?query=1&time=%2BInfinity", """{"status":"success","data":{"resultType":"scalar","result":[-9223372036.854,"1"]}}""")]
    [InlineData("query?query=1e21", """{"status":"success","data":{"resultType":"scalar","result":[1767323045,"1000000000000000000000"]}}""")]
    [InlineData("query?query=\"x\"", """{"status":"success","data":{"resultType":"string","result":[1767323045,"x"]}}""")]
    [InlineData("labels", """{"status":"success","data":["__name__","instance","job","n"]}""")]
    [InlineData("label/n/values?match[]=a&limit=1", """{"status":"success","data":["1"],"warnings":["results truncated due to limit"]}""")]
    [InlineData("label/U__n/values", """{"status":"success","data":["1","2"]}""")]
    [InlineData("series?match[]=a{n=\"2\"}", """{"status":"success","data":[{"__name__":"a","instance":"web1","job":"lightmetrics","n":"2"}]}""")]
    [InlineData("rules", """{"status":"success","data":{"groups":[]}}""")]
    [InlineData("alerts", """{"status":"success","data":{"alerts":[]}}""")]
    [InlineData("format_query?query=sum by(a)(b)", """{"status":"success","data":"sum by (a) (b)"}""")]
    [InlineData("export?query=a", "__name__,instance,job,n,time,value\r\na,web1,lightmetrics,1,2026-01-02T03:04:05Z,1\r\na,web1,lightmetrics,2,2026-01-02T03:04:05Z,2\r\n")]
    [InlineData("export?query=none", "time,value\r\n")]
    public async Task An_endpoint_answers_in_Prometheus_shape(string request, string expected)
    {
        await using var listener = await StartAsync();

        var (status, body) = await listener.GetAsync("/api/v1/" + request);

        Assert.Equal((HttpStatusCode.OK, expected), (status, body));
    }

    [Theory]
    [InlineData("query_range?query=a&start=0&end=100000&step=1", "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)")]
    [InlineData("query_range?query=a&start=5&end=1&step=1", "invalid parameter \\\"end\\\": end timestamp must not be before start time")]
    [InlineData("query_range?query=a&start=0&end=1&step=0", "invalid parameter \\\"step\\\": zero or negative query resolution step widths are not accepted. Try a positive integer")]
    [InlineData("query_range?query=a[5m]&start=0&end=1&step=1", "invalid expression type \\\"range vector\\\" for range query, must be Scalar or instant Vector")]
    [InlineData("query?query=1&time=-NaN", "cannot parse \\\"-NaN\\\" to a valid timestamp")]
    [InlineData("series", "no match[] parameter provided")]
    [InlineData("series?match[]={n=\"\"}", "match[] must contain at least one non-empty matcher")]
    [InlineData("metadata?limit=x", "limit must be a number")]
    public async Task A_parameter_that_cannot_be_used_is_bad_data(string request, string expected)
    {
        await using var listener = await StartAsync();

        var (status, body) = await listener.GetAsync("/api/v1/" + request);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(expected, body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(MetricType.Counter, "counter")]
    [InlineData(MetricType.Summary, "summary")]
    [InlineData(MetricType.GaugeHistogram, "gaugehistogram")]
    [InlineData(MetricType.StateSet, "stateset")]
    [InlineData(MetricType.Unknown, "unknown")]
    public async Task A_metrics_type_is_told_by_the_name_that_Prometheus_has_for_it(MetricType type, string expected)
    {
        await using var listener = await StartAsync();
        listener.Catalog.Describe("m", new MetricMetadata(type, "bytes", "Help."));

        var (_, body) = await listener.GetAsync("/api/v1/metadata?metric=m");

        Assert.Contains($"\"m\":[{{\"type\":\"{expected}\",", body, StringComparison.Ordinal);
    }

    private static async Task<PrivateListener> StartAsync()
    {
        var listener = await PrivateListener.StartAsync();
        listener.Feed(new BatchMaker().With("a", 1, Now, new Label("n", "1")).With("a", 2, Now, new Label("n", "2")).Make());
        return listener;
    }
}
