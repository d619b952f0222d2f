using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Lm.Collector.Tests.Query.Differential;

/// <summary>A real logcli against these endpoints; skipped where there is none in PATH.</summary>
public sealed class LogcliTests
{
    private const long Now = 1_767_323_045_000; // ManualTime's start: 2026-01-02T03:04:05Z
    private const int Crowd = 2500;

    private static readonly string[] Range = ["--from=2026-01-02T02:00:00Z", "--to=2026-01-02T03:05:00Z"];

    [Theory]
    [InlineData(false, 0, 300, Crowd + 20)]
    [InlineData(true, 0, 300, Crowd + 20)]
    [InlineData(false, 0, 1000, Crowd + 20)]
    [InlineData(true, 1700, 1000, 1700)]
    [InlineData(false, 1700, 1000, 1700)]
    [InlineData(true, 7, 3, 7)]
    public async Task It_pages_through_more_lines_of_one_millisecond_than_a_page_has(bool isForward, int limit, int batch, int expected)
    {
        await using var listener = await StartAsync();
        var all = Enumerable.Range(0, 10).Select(i => $"before {i}").Concat(Enumerable.Range(0, Crowd).Select(i => $"line {i}")).Concat(Enumerable.Range(0, 10).Select(i => $"behind {i}"));

        var printed = await RunAsync(
            listener, ["--quiet", "--output=raw", "query", "{instance=\"web1\"}", $"--limit={limit}", $"--batch={batch}", .. Range, .. isForward ? (string[])["--forward"] : []]);

        Assert.Equal((isForward ? all : all.Reverse()).Take(expected), printed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line.Trim()));
    }

    [Fact]
    public async Task It_prints_lines_with_their_labels_in_all_its_forms()
    {
        await using var listener = await StartAsync();

        var lines = await RunAsync(listener, ["--quiet", "--output=jsonl", "--timezone=UTC", "query", "{instance=\"web2\"} | logfmt", .. Range]);
        var plain = await RunAsync(listener, ["--quiet", "--timezone=UTC", "query", "--include-common-labels", "{instance=\"web2\"} | logfmt", .. Range]);
        var said = await RunAsync(listener, ["--stats", "query", "{instance=\"web2\"}", .. Range], wantsErrors: true);

        using var line = JsonDocument.Parse(lines);
        Assert.Equal("level=warn status=500", line.RootElement.GetProperty("line").GetString());
        Assert.StartsWith("2026-01-02T03:04:04", line.RootElement.GetProperty("timestamp").GetString(), StringComparison.Ordinal);
        Assert.Contains("detected_level=\"error\"", plain, StringComparison.Ordinal);
        Assert.Contains("unit=\"ssh\"", plain, StringComparison.Ordinal);
        Assert.Contains("level=warn status=500", plain, StringComparison.Ordinal);
        Assert.Contains("TotalEntriesReturned", said, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task It_calculates_numbers()
    {
        await using var listener = await StartAsync();

        var instant = await RunAsync(listener, ["--quiet", "instant-query", "sum by (instance) (count_over_time({instance=~\"web.*\"}[1h]))", "--now=2026-01-02T03:04:05Z", "--limit=100000"]);
        var range = await RunAsync(listener, ["--quiet", "query", "sum(rate({instance=\"web2\"}[5m]))", "--step=60s", .. Range]);

        using var vector = JsonDocument.Parse(instant);
        Assert.Equal([$"{Crowd + 20}", "1"], vector.RootElement.EnumerateArray().Select(static series => series.GetProperty("value")[1].GetString()!).OrderByDescending(static text => text.Length));
        using var matrix = JsonDocument.Parse(range);
        Assert.NotEmpty(matrix.RootElement[0].GetProperty("values").EnumerateArray());
    }

    [Fact]
    public async Task It_lists_streams_labels_fields_and_how_much_there_is()
    {
        await using var listener = await StartAsync();

        Assert.Equal("instance\nseverity\n", await RunAsync(listener, ["--quiet", "labels", .. Range]));
        Assert.Equal("web1\nweb2\n", await RunAsync(listener, ["--quiet", "labels", "instance", .. Range]));
        Assert.Contains("{instance=\"web2\", severity=\"error2\"}", await RunAsync(listener, ["--quiet", "series", "{instance=~\"web.*\"}", .. Range]), StringComparison.Ordinal);
        Assert.Contains("entries", await RunAsync(listener, ["--quiet", "stats", "{instance=\"web1\"}", .. Range]), StringComparison.OrdinalIgnoreCase);
        var volume = await RunAsync(listener, ["--quiet", "volume", "{instance=~\"web.*\"}", .. Range]);
        Assert.Contains("\"instance\": \"web1\"", volume, StringComparison.Ordinal);
        Assert.Contains("\"instance\": \"web2\"", await RunAsync(listener, ["--quiet", "volume_range", "{instance=~\"web.*\"}", "--step=60s", .. Range]), StringComparison.Ordinal);
        var fields = await RunAsync(listener, ["--quiet", "--output=raw", "detected-fields", "{instance=\"web2\"}", .. Range]);
        using var detected = JsonDocument.Parse(fields);
        Assert.Equal(["detected_level:string", "level:string", "status:int", "unit:string"], detected.RootElement.GetProperty("fields").EnumerateArray()
            .Select(static field => $"{field.GetProperty("label").GetString()}:{field.GetProperty("type").GetString()}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task It_is_told_what_is_wrong()
    {
        await using var listener = await StartAsync();

        Assert.Contains("parse error at line 1, column 12", await RunAsync(listener, ["query", "{a=\"b\"} |~ \"(\"", .. Range], wantsErrors: true), StringComparison.Ordinal);
    }

    private static async Task<PrivateListener> StartAsync()
    {
        LokiProcess.Need("logcli");
        var listener = await PrivateListener.StartAsync();
        Assert.All(Enumerable.Range(0, 10), i => listener.Logs.Add(Now - 20_000 + i, $"before {i}"));
        Assert.All(Enumerable.Range(0, Crowd), i => listener.Logs.Add(Now - 10_000, $"line {i}"));
        Assert.All(Enumerable.Range(0, 10), i => listener.Logs.Add(Now - 5000 + i, $"behind {i}"));
        listener.Logs.Add(Now - 1000, "level=warn status=500", "instance=web2,severity=error2", ("unit", "ssh"));
        return listener;
    }

    private static async Task<string> RunAsync(PrivateListener listener, string[] arguments, bool wantsErrors = false)
    {
        var start = new ProcessStartInfo(LokiProcess.Need("logcli")) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(string.Create(CultureInfo.InvariantCulture, $"--addr={listener.Address}"));
        start.ArgumentList.Add("--bearer-token=" + PrivateListener.Token);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(wantsErrors || process.ExitCode == 0, await errors);
        return wantsErrors ? await errors : await output;
    }
}
