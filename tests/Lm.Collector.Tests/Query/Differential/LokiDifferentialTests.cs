using System.Globalization;
using System.Text.Json;

namespace Lm.Collector.Tests.Query.Differential;

/// <summary>The same lines and the same queries, to these endpoints and to a real Loki.</summary>
/// <remarks>LM_DIFF_COUNT sets how many queries, LM_DIFF_SEED which; LM_DIFF_REQUESTS names a file with queries, a line each, to ask instead.</remarks>
public sealed class LokiDifferentialTests(ITestOutputHelper output)
{
    private const int LinesCount = 500;
    private static readonly int Count = Number("LM_DIFF_COUNT", 400);
    private static readonly int Seed = Number("LM_DIFF_SEED", 1);

    [Fact]
    public async Task Answers_equal_those_of_Loki()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var loki = await LokiProcess.StartAsync(cancellationToken);
        await using var ours = await PrivateListener.StartAsync(TimeProvider.System);
        ours.Client.DefaultRequestHeaders.Add("Authorization", "Bearer " + PrivateListener.Token);
        var queries = new RandomLogQueries(new Random(Seed));
        var from = (TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 60_000 * 60_000) - 1_200_000;
        var lines = queries.Lines(from, LinesCount);
        foreach (var line in lines)
        {
            ours.Logs.Add(line.Time, line.Body, line.Stream, line.Attributes);
        }

        await loki.WriteAsync(lines, cancellationToken);
        var given = Environment.GetEnvironmentVariable("LM_DIFF_REQUESTS") is { Length: > 0 } file ? await File.ReadAllLinesAsync(file, cancellationToken) : null;
        var differences = new List<string>();
        var successes = 0;
        var count = given?.Length ?? Count;
        for (var i = 0; i < count; i++)
        {
            var query = given?[i] ?? queries.Next().Query;
            var parameters = $"?query={Uri.EscapeDataString(query)}&start={Text(from)}000000&end={Text(from + 600_000)}000000&step=30&limit=1000&direction={(i % 2 == 0 ? "forward" : "backward")}";
            using var answer = await ours.Client.GetAsync("loki/api/v1/query_range" + parameters, cancellationToken);
            using var expected = await loki.Client.GetAsync("loki/api/v1/query_range" + parameters, cancellationToken);
            var (body, expectedBody) = (await answer.Content.ReadAsStringAsync(cancellationToken), await expected.Content.ReadAsStringAsync(cancellationToken));
            successes += expected.IsSuccessStatusCode ? 1 : 0;
            if (Difference(query, (int)answer.StatusCode, body, (int)expected.StatusCode, expectedBody) is { } difference)
            {
                differences.Add($"{query}\n   {difference}");
            }
        }

        output.WriteLine($"seed {Seed}: {count} queries, {successes} of them answered with success, {differences.Count} differ{string.Concat(differences.Select(static difference => "\n" + difference))}");
        Assert.True(given is not null || successes > count / 3, "most queries fail: that proves little");
        Assert.True(differences.Count <= count / 50, $"seed {Seed}: {differences.Count} of {count} differ:\n{string.Join('\n', differences.Take(200))}");
    }

    private static string? Difference(string query, int status, string body, int expectedStatus, string expectedBody)
    {
        if ((status == 200) != (expectedStatus == 200))
        {
            return $"status {status} {Cut(body)}, expected {expectedStatus} {Cut(expectedBody)}";
        }

        if (status != 200)
        {
            return null;
        }

        // Here the level is a label of series only where it is named; for lines it always is.
        var withLevel = query.StartsWith('{') || query.Contains("(detected_level)", StringComparison.Ordinal) || query.Contains(", detected_level)", StringComparison.Ordinal);
        var (got, expected) = (Facts(body, withLevel), Facts(expectedBody, withLevel));
        for (var i = 0; i < Math.Max(got.Count, expected.Count); i++)
        {
            var (one, other) = (i < got.Count ? got[i] : "nothing", i < expected.Count ? expected[i] : "nothing");
            if (one != other)
            {
                return $"of {got.Count} and {expected.Count} number {i}: {Cut(one)}\n   expected {Cut(other)}";
            }
        }

        return null;
    }

    // What is answered, a line or number each, in an order that both have.
    private static List<string> Facts(string body, bool withLevel)
    {
        using var document = JsonDocument.Parse(body);
        var data = document.RootElement.GetProperty("data");
        var facts = new List<string>();
        foreach (var series in data.GetProperty("result").EnumerateArray())
        {
            var isStream = series.TryGetProperty("stream", out var labels);
            labels = isStream ? labels : series.GetProperty("metric");
            var key = string.Join(',', labels.EnumerateObject().Where(label => label.Name != "__error_details__" && (withLevel || label.Name != "detected_level")).OrderBy(static label => label.Name, StringComparer.Ordinal)
                .Select(static label => $"{label.Name}={label.Value.GetString()}"));
            foreach (var value in series.GetProperty("values").EnumerateArray())
            {
                facts.Add(isStream ? $"{value[0].GetString()} {{{key}}} {value[1].GetString()}" : $"{{{key}}} {value[0].GetDouble().ToString("R", CultureInfo.InvariantCulture)} {Rounded(value[1].GetString()!)}");
            }
        }

        facts.Sort(StringComparer.Ordinal);
        return facts;
    }

    // The last bits depend on the order of additions; rate_counter extrapolates by a millionth in Loki.
    private static string Rounded(string number) =>
        double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value.ToString("G5", CultureInfo.InvariantCulture) : number;

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Cut(string text) => text.Length <= 1000 ? text : text[..1000] + "…";

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
