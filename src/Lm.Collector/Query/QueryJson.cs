using Lm.PromQL;

namespace Lm.Collector.Query;

/// <summary>A query's answer, streamed as Prometheus shapes it.</summary>
internal static class QueryJson
{
    private const string Truncated = "results truncated due to limit";

    /// <summary>Writes the answer.</summary>
    /// <param name="response">Where to.</param>
    /// <param name="result">What was found.</param>
    /// <param name="ask">What was asked.</param>
    /// <param name="waited">How long the query waited before it ran.</param>
    /// <param name="cancellationToken">The request's.</param>
    public static async Task WriteAsync(HttpResponse response, QueryResult result, QueryAsk ask, TimeSpan waited, CancellationToken cancellationToken)
    {
        var json = ApiAnswer.Begin(response);
        var limit = ask.Limit == 0 ? int.MaxValue : ask.Limit;
        var isCut = false;
        switch (result.Value)
        {
            case ScalarValue scalar:
                json.Raw("{\"resultType\":\"scalar\",\"result\":"u8);
                json.Scalar(scalar.Time, scalar.Value);
                break;
            case TextValue text:
                json.Raw("{\"resultType\":\"string\",\"result\":["u8);
                json.Time(text.Time);
                json.Raw(","u8);
                json.Text(text.Value);
                json.Raw("]"u8);
                break;
            case VectorValue vector:
                isCut = vector.Samples.Count > limit;
                await WriteVectorAsync(json, vector, limit, cancellationToken);
                break;
            case MatrixValue matrix:
                isCut = matrix.Series.Count > limit;
                await WriteMatrixAsync(json, matrix, limit, cancellationToken);
                break;
        }

        if (ask.WantsStatistics)
        {
            WriteStatistics(json, result.Statistics, waited);
        }

        json.Raw("}"u8);
        await ApiAnswer.EndAsync(json, isCut ? [.. result.Warnings, Truncated] : result.Warnings, result.Infos, cancellationToken);
    }

    private static async ValueTask WriteVectorAsync(JsonOutput json, VectorValue vector, int limit, CancellationToken cancellationToken)
    {
        json.Raw("{\"resultType\":\"vector\",\"result\":["u8);
        for (var i = 0; i < vector.Samples.Count && i < limit; i++)
        {
            var sample = vector.Samples[i];
            json.Raw(i == 0 ? "{\"metric\":"u8 : ",{\"metric\":"u8);
            ApiAnswer.Labels(json, sample.Labels);
            json.Raw(",\"value\":"u8);
            json.Sample(sample.Time, sample.Value);
            json.Raw("}"u8);
            if (json.IsFull)
            {
                await json.FlushAsync(cancellationToken);
            }
        }

        json.Raw("]"u8);
    }

    private static async ValueTask WriteMatrixAsync(JsonOutput json, MatrixValue matrix, int limit, CancellationToken cancellationToken)
    {
        json.Raw("{\"resultType\":\"matrix\",\"result\":["u8);
        for (var i = 0; i < matrix.Series.Count && i < limit; i++)
        {
            WriteSeries(json, matrix.Series[i], isFirst: i == 0);
            if (json.IsFull)
            {
                await json.FlushAsync(cancellationToken);
            }
        }

        json.Raw("]"u8);
    }

    private static void WriteSeries(JsonOutput json, MatrixSeries series, bool isFirst)
    {
        json.Raw(isFirst ? "{\"metric\":"u8 : ",{\"metric\":"u8);
        ApiAnswer.Labels(json, series.Labels);
        json.Raw(",\"values\":["u8);
        var times = series.Times.Span;
        var values = series.Values.Span;
        for (var i = 0; i < values.Length; i++)
        {
            if (i > 0)
            {
                json.Raw(","u8);
            }

            json.Sample(times[i], values[i]);
        }

        json.Raw("]}"u8);
    }

    // Preparation and sorting are part of the evaluation here.
    private static void WriteStatistics(JsonOutput json, QueryStatistics statistics, TimeSpan waited)
    {
        var seconds = statistics.Duration.TotalSeconds;
        json.Raw(",\"stats\":{\"timings\":{\"evalTotalTime\":"u8);
        json.Number(seconds);
        json.Raw(",\"resultSortTime\":0,\"queryPreparationTime\":0,\"innerEvalTime\":"u8);
        json.Number(seconds);
        json.Raw(",\"execQueueTime\":"u8);
        json.Number(waited.TotalSeconds);
        json.Raw(",\"execTotalTime\":"u8);
        json.Number(seconds + waited.TotalSeconds);
        json.Raw("},\"samples\":{\"totalQueryableSamples\":"u8);
        json.Number(statistics.SamplesTotal);
        json.Raw(",\"peakSamples\":"u8);
        json.Number(statistics.SamplesPeak);
        json.Raw("}}"u8);
    }
}
