using System.Globalization;

namespace Lm.Collector.Tests.Query.Differential;

/// <summary>Requests to the query API: mostly sound, times and steps in all their forms. One that begins with <c>!</c> is sent as a form.</summary>
internal sealed class RandomRequests(Random random)
{
    private readonly RandomQueries queries = new(random);

    /// <summary>A request: path and parameters.</summary>
    public string Next()
    {
        var query = Uri.EscapeDataString(queries.Next());
        return (random.Next(8) == 0 ? "!" : "") + random.Next(100) switch
        {
            < 50 => $"api/v1/query?query={query}&time={Uri.EscapeDataString(Time())}{Extra()}",
            < 80 => Range(query),
            < 81 => $"api/v1/query?{Pick(["", "time=5", "query=", "query=%20&time=1"])}",
            < 82 => $"api/v1/query_range?query={query}&{Pick(["", "start=5", "start=5&end=4&step=1", "start=1&end=2", "start=a&end=2&step=1", "start=1&end=b&step=1", "start=1&end=2&step=x"])}",
            < 85 => $"api/v1/format_query?query={query}",
            < 90 => $"api/v1/series?{Selectors(random.Next(20) == 0 ? 0 : 1)}{Times()}",
            < 94 => $"api/v1/labels?{Selectors(0)}{Times()}",
            < 99 => $"api/v1/label/{Label()}/values?{Selectors(0)}{Times()}",
            _ => $"api/v1/query_exemplars?query={query}{Times()}",
        } is var request && request.StartsWith("!api/v1/label/", StringComparison.Ordinal) ? request[1..] : request; // which knows no forms
    }

    private string Range(string query)
    {
        var start = RandomSeries.Start + random.Next((int)RandomSeries.LengthMs) - 300_000;
        var length = random.Next(4) == 0 ? 0 : random.Next(3_000_000);
        var step = random.Next(8) switch
        {
            0 => "15",
            1 => "30s",
            2 => "1m",
            3 => "7.5",
            4 => "5m",
            5 => Pick(["1m30s", "0.5", "1e2", "100s", "1d", "90000ms", "12.3456"]),
            _ => random.Next(20) == 0 ? Pick(["0", "-1", "0s", "1ms", "1e400", "NaN", "", "1x"]) : "61",
        };
        return $"api/v1/query_range?query={query}&start={Uri.EscapeDataString(Text(start))}&end={Uri.EscapeDataString(Text(start + length))}&step={step}{Extra()}";
    }

    private string Time() => random.Next(40) == 0
        ? Pick(["abc", "-1", "0", "2023-11-14", "2023-11-14T22:30:00", "2023-11-14T22:30:00z", "2023-13-14T22:30:00Z", "1700000000,5", "0x65540000", " 1700000000", "1e400"])
        : Text(RandomSeries.Start + (long)(random.NextDouble() * (RandomSeries.LengthMs + 600_000)) - 300_000);

    // One time in one of the forms that mean it.
    private string Text(long time)
    {
        var when = DateTimeOffset.FromUnixTimeMilliseconds(time);
        return random.Next(10) switch
        {
            0 => when.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
            1 => when.ToOffset(TimeSpan.FromMinutes(90)).ToString("yyyy-MM-dd'T'HH:mm:ss.ffzzz", CultureInfo.InvariantCulture),
            2 => when.ToOffset(TimeSpan.FromHours(-7)).ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture),
            3 => (time / 1000).ToString(CultureInfo.InvariantCulture),
            4 => (time / 1000.0).ToString("E12", CultureInfo.InvariantCulture),
            5 => (time / 1000.0).ToString("F6", CultureInfo.InvariantCulture),
            _ => (time / 1000.0).ToString("F3", CultureInfo.InvariantCulture),
        };
    }

    private string Extra() => random.Next(30) switch
    {
        0 => "&timeout=30s",
        1 => "&timeout=" + Pick(["0", "x", "1.5", "1m", "-1s"]),
        2 => "&unknown=1",
        3 or 4 or 5 => "&stats=" + Pick(["all", "1", "true"]),
        6 => "&lookback_delta=" + Pick(["1m", "10m", "0", "15.5", "x"]),
        _ => "",
    };

    private string Label() => random.Next(12) == 0 ? Pick(["__name__", "9bad", "a-b", "%C3%BC", "le", "a%20b"]) : queries.LabelName();

    private string Selectors(int least) => string.Concat(Enumerable.Range(0, least + random.Next(3)).Select(_ =>
        "&match[]=" + Uri.EscapeDataString(random.Next(25) == 0 ? Pick(["", "{}", "{job=\"\"}", "load1[5m]", "rate(load1[5m])", "load1 offset 5m", "{__name__=~\".*\"}", "1", "(load1)", "{"]) : queries.Selector())));

    // The index knows chunks, not samples: ranges far around the data or far from it.
    private string Times() => random.Next(5) switch
    {
        0 => $"&start={(RandomSeries.Start / 1000) - 10}&end={(RandomSeries.Start + RandomSeries.LengthMs) / 1000}",
        1 => "&start=2100-01-01T00:00:00Z",
        2 => random.Next(6) == 0 ? "&" + Pick(["start=x", "end=x", "start=5&end=4", "start=", "end=2023-11-14"]) : "",
        3 => $"&end={Uri.EscapeDataString(Text(RandomSeries.Start - 10_000_000))}",
        _ => "",
    };

    private string Pick(string[] from) => from[random.Next(from.Length)];
}
