using Lm.Collector.Listeners;
using Lm.Tsdb;

namespace Lm.Collector.Query;

/// <summary><c>/api/v1/status/tsdb</c>: which names and labels make the most series.</summary>
/// <remarks>Looks at the labels of every series, so it takes a query's slot and ends at its timeout.</remarks>
internal sealed class StorageStatus(PrivateServices services, ISeriesReader reader, QuerySlots slots)
{
    private const int LimitMax = 10_000;

    /// <summary>Answers one request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var limit = 10;
        if (context.Request.Query["limit"] is [{ Length: > 0 } text, ..] && (!int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out limit) || limit is < 1 or > LimitMax))
        {
            await ApiError.BadData(limit > LimitMax ? $"limit must not exceed {LimitMax}" : "limit must be a positive number").WriteAsync(context.Response);
            return;
        }

        using var deadline = new CancellationTokenSource(services.Settings().Timeout, services.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, context.RequestAborted);
        Counts counts;
        try
        {
            using var slot = await slots.EnterAsync(deadline.Token, context.RequestAborted);
            counts = Count(both.Token);
        }
        catch (Exception exception) when (exception is Lm.PromQL.QueryException or OperationCanceledException && !context.RequestAborted.IsCancellationRequested)
        {
            await new ApiError(StatusCodes.Status503ServiceUnavailable, "timeout", "counting the series timed out").WriteAsync(context.Response);
            return;
        }

        await WriteAsync(context, counts, limit);
    }

    private Counts Count(CancellationToken cancellationToken)
    {
        var counts = new Counts();
        using var selection = reader.Find([], ApiRequest.TimeMin, ApiRequest.TimeMax, cancellationToken);
        counts.Series = selection.Count;
        for (var i = 0; i < selection.Count; i++)
        {
            if (i % 1024 == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            foreach (ref readonly var label in selection.Labels(i).Labels)
            {
                counts.Pairs[label] = counts.Pairs.GetValueOrDefault(label) + 1;
            }
        }

        return counts;
    }

    private static async Task WriteAsync(HttpContext context, Counts counts, int limit)
    {
        var byName = counts.Pairs.GroupBy(pair => pair.Key.Name, StringComparer.Ordinal).ToList();
        var json = ApiAnswer.Begin(context.Response);
        json.Raw("{\"headStats\":{\"numSeries\":"u8);
        json.Number(counts.Series);
        json.Raw(",\"numLabelPairs\":"u8);
        json.Number(counts.Pairs.Count);
        json.Raw(",\"chunkCount\":0,\"minTime\":0,\"maxTime\":0},\"seriesCountByMetricName\":"u8);
        WriteTop(json, counts.Pairs.Where(pair => pair.Key.Name == LabelSet.MetricNameLabel).Select(pair => (pair.Key.Value, pair.Value)), limit);
        json.Raw(",\"labelValueCountByLabelName\":"u8);
        WriteTop(json, byName.Select(group => (group.Key, (long)group.Count())), limit);
        json.Raw(",\"memoryInBytesByLabelName\":"u8);
        WriteTop(json, byName.Select(group => (group.Key, group.Sum(pair => pair.Key.Value.Length * pair.Value))), limit);
        json.Raw(",\"seriesCountByLabelValuePair\":"u8);
        WriteTop(json, counts.Pairs.Select(pair => ($"{pair.Key.Name}={pair.Key.Value}", pair.Value)), limit);
        json.Raw("}"u8);
        await ApiAnswer.EndAsync(json, [], [], context.RequestAborted);
    }

    private static void WriteTop(JsonOutput json, IEnumerable<(string Name, long Count)> entries, int limit)
    {
        json.Raw("["u8);
        var first = true;
        foreach (var (name, count) in entries.OrderByDescending(entry => entry.Count).ThenBy(entry => entry.Name, StringComparer.Ordinal).Take(limit))
        {
            json.Raw(first ? "{\"name\":"u8 : ",{\"name\":"u8);
            first = false;
            json.Text(name);
            json.Raw(",\"value\":"u8);
            json.Number(count);
            json.Raw("}"u8);
        }

        json.Raw("]"u8);
    }

    private sealed class Counts
    {
        public int Series { get; set; }

        public Dictionary<Label, long> Pairs { get; } = [];
    }
}
