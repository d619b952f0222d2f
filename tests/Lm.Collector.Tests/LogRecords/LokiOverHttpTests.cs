using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Lm.Collector.Tests.Ingest;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Tests.LogRecords;

/// <summary>The whole collector over HTTP: lines go in through its ingest listener, and generated queries are answered as a plain search through all lines answers them.</summary>
public sealed class LokiOverHttpTests
{
    private const int LinesCount = 240_000;
    private const int LinesPerBatch = 4000;
    private const int CrowdCount = 6000; // lines of one millisecond, more than an answer has
    private const int QueriesCount = 60;
    private const int PageLines = 5000;

    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;

    private static readonly (string Text, Func<Sent, bool> Holds)[] Selectors =
    [
        ("{site=\"lab\"}", static _ => true),
        ("{severity=\"error\"}", static line => line.Severity == 17),
        ("{instance=\"a1\", severity!=\"error\"}", static line => line.Severity != 17),
        ("{instance=~\"a.\", severity=~\"info|warn\"}", static line => line.Severity is 9 or 13),
    ];

    private static readonly (string Text, Func<Sent, bool> Holds)[] Filters =
    [
        ("", static _ => true),
        (" |= \"word=alpha\"", static line => line.Word == "alpha"),
        (" != \"beta\"", static line => line.Word != "beta"),
        (" |~ \"n=[0-9]*77 \"", static line => line.Number % 100 == 77),
        (" !~ \"status=5..\"", static line => line.Status / 100 != 5),
        (" |= \"gamma\" or \"alpha\"", static line => line.Word is "gamma" or "alpha"),
        (" | logfmt | status >= 500", static line => line.Status >= 500),
        (" | logfmt | took > 250ms, word!=\"beta\"", static line => line.Took > 250 && line.Word != "beta"),
        (" | detected_level=\"error\"", static line => line.Severity == 17),
        (" |= \"n=123456 \"", static line => line.Number == 123_456),
    ];

    [Fact]
    public async Task Generated_queries_give_what_a_plain_search_gives_line_for_line_and_number_for_number()
    {
        await using var collector = await RunningCollector.StartAsync();
        var random = new Random(11);
        var first = UnixMillis.Now(collector.Time).Value - 700_000;
        var lines = await SendAllAsync(collector, first, random);
        using var client = new HttpClient { BaseAddress = collector.Query };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "query-secret");
        for (var i = 0; i < QueriesCount; i++)
        {
            var (selector, filter) = (Selectors[random.Next(Selectors.Length)], Filters[random.Next(Filters.Length)]);
            var query = selector.Text + filter.Text;
            var start = first + random.Next(600_000);
            var end = start + random.Next(1, 20_000);
            var meant = lines.Where(line => selector.Holds(line) && filter.Holds(line)).ToList();
            if (i % 2 == 0)
            {
                await CheckLinesAsync(client, query, [.. meant.Where(line => line.Time >= start && line.Time < end)], start, end, isBackward: i % 4 == 0);
            }
            else
            {
                await CheckNumbersAsync(client, query, meant, first);
            }
        }

        var crowd = lines.Where(line => line.Time == first + 300_000).ToList();
        Assert.True(crowd.Count >= CrowdCount);
        foreach (var isBackward in (bool[])[true, false])
        {
            await CheckLinesAsync(client, "{site=\"lab\"}", crowd, first + 300_000, first + 300_001, isBackward);
        }
    }

    private static async Task CheckLinesAsync(HttpClient client, string query, IReadOnlyList<Sent> expected, long start, long end, bool isBackward)
    {
        var (from, until) = ($"{start}000000", $"{end}000000");
        var found = new List<(string Time, string Body)>();
        while (true)
        {
            using var answer = await AskAsync(client, $"query={Uri.EscapeDataString(query)}&start={from}&end={until}&limit={PageLines}&direction={(isBackward ? "backward" : "forward")}");
            var page = answer.RootElement.GetProperty("data").GetProperty("result").EnumerateArray().SelectMany(static stream => stream.GetProperty("values").EnumerateArray())
                .Select(static value => (Time: value[0].GetString()!, Body: value[1].GetString()!)).OrderBy(static line => line.Time, StringComparer.Ordinal).ToList();
            if (isBackward)
            {
                page.Reverse();
            }

            found.AddRange(page);
            if (page.Count < PageLines)
            {
                break;
            }

            (from, until) = isBackward ? (from, page[^1].Time) : ((long.Parse(page[^1].Time, CultureInfo.InvariantCulture) + 1).ToString(CultureInfo.InvariantCulture), until);
        }

        Assert.Equal(found.Count, found.Select(static line => line.Time).Distinct().Count());
        var ordered = isBackward ? expected.Reverse() : expected;
        Assert.Equal(ordered.Select(static line => $"{line.Time} {line.Body}"), found.Select(static line => $"{line.Time[..^6]} {line.Body}"));
    }

    private static async Task CheckNumbersAsync(HttpClient client, string query, List<Sent> meant, long first)
    {
        const long step = 30_000;
        var metric = $"sum by (severity) (count_over_time({query}[30s])) + sum by (severity) (bytes_over_time({query}[30s]))";
        using var answer = await AskAsync(client, $"query={Uri.EscapeDataString(metric)}&start={first}000000&end={first + 600_000}000000&step=30");

        var found = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var series in answer.RootElement.GetProperty("data").GetProperty("result").EnumerateArray())
        {
            var severity = series.GetProperty("metric").TryGetProperty("severity", out var label) ? label.GetString() : "";
            foreach (var value in series.GetProperty("values").EnumerateArray())
            {
                found[$"{severity} {(long)Math.Round(value[0].GetDouble() * 1000)}"] = double.Parse(value[1].GetString()!, CultureInfo.InvariantCulture);
            }
        }

        var expected = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var line in meant)
        {
            // The first time of the grid that is not before it: windows have their end, and follow each other.
            var at = first + ((line.Time - first + step - 1) / step * step);
            if (at <= first + 600_000)
            {
                var key = $"{Name(line.Severity)} {at}";
                expected[key] = expected.GetValueOrDefault(key) + 1 + Encoding.UTF8.GetByteCount(line.Body);
            }
        }

        Assert.Equal(expected, found);
    }

    private static string Name(int severity) => severity switch { 9 => "info", 13 => "warn", 17 => "error", _ => "" };

    private static async Task<JsonDocument> AskAsync(HttpClient client, string parameters)
    {
        using var answer = await client.GetAsync("loki/api/v1/query_range?" + parameters, Cancelled);
        var body = await answer.Content.ReadAsStringAsync(Cancelled);
        Assert.True(answer.IsSuccessStatusCode, body);
        return JsonDocument.Parse(body);
    }

    // In the order that answers have: by time, and within a millisecond as they were sent.
    private static async Task<List<Sent>> SendAllAsync(RunningCollector collector, long first, Random random)
    {
        var lines = new List<Sent>(LinesCount);
        string[] words = ["alpha", "beta", "gamma", "delta"];
        int[] severities = [0, 9, 9, 13, 17];
        for (var i = 0; i < LinesCount; i++)
        {
            // Twenty of one millisecond, and once a crowd.
            var time = i is >= 120_000 and < 120_000 + CrowdCount ? first + 300_000 : first + (i / 20 * 50L);
            lines.Add(new Sent(time, severities[random.Next(severities.Length)], i, 200 + (100 * random.Next(4)) + random.Next(3), random.Next(500), words[random.Next(words.Length)]));
        }

        using var client = collector.Client();
        ulong sequence = 0;
        foreach (var batch in lines.Chunk(LinesPerBatch))
        {
            var encoder = new BatchEncoder();
            encoder.Begin(UnixMillis.Now(collector.Time), 15_000, [new Label("site", "lab")]);
            foreach (var line in batch)
            {
                encoder.AddLog(new LogRecord(new UnixMillis(line.Time), line.Severity, line.Body, []));
            }

            sequence++;
            var frame = encoder.EncodeFrame(new BatchKey("a1", FrameMaker.Queue, new SequenceRange(sequence, sequence))).ToArray();
            using var answer = await client.SendAsync(collector.Request(sequence, frame), Cancelled);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancelled));
        }

        return [.. lines.OrderBy(static line => line.Time)]; // stable
    }

    private sealed record Sent(long Time, int Severity, int Number, int Status, int Took, string Word)
    {
        public string Body { get; } = string.Create(CultureInfo.InvariantCulture, $"n={Number} status={Status} took={Took}ms word={Word}");
    }
}
