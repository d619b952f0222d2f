using System.Globalization;

namespace Lm.Collector.Tests.Query.Differential;

/// <summary>Lines of many kinds and queries over them, from a seed.</summary>
internal sealed class RandomLogQueries(Random random)
{
    private static readonly string[] Selectors =
        ["{instance=~\"web.*\"}", "{instance=\"web1\"}", "{input=\"nginx\"}", "{instance=~\"web.*\", severity!=\"info\"}", "{input=~\".+\", instance!~\"web[23]\"}", "{severity=\"error\"}"];

    private static readonly string[] LineFilters =
    [
        "|= \"error\"", "!= \"error\"", "|~ \"(?i)TIMEOUT\"", "!~ \"\\\\d{3}\"", "|= \"GET\" or \"POST\"", "|~ \"err|warn\" or \"slow\"", "!= \"error\" or \"GET\"", "|> \"<_> failed <_>\"", "!> \"<_>level=<_>\"",
        "|= \"\"", "!= \"\"", "|~ \"\\\\Qa.b*\\\\E\"", "|~ \"^\\\\pL+ \"", "|~ \"\\\\x{1F600}\"", "|= `level=`", "|~ `status=[45]\\d\\d`", "|= ip(\"10.0.0.0/8\")", "!= ip(\"192.168.0.1-192.168.0.9\")", "|> \"GET <_>\"", "|= ip(\"10.1.2.3\") or \"slow\"",
        "|~ \"[\\\\pN]{4}\"", "|~ \"\\\\PL$\"",
    ];

    private static readonly string[] Parsers =
    [
        "| json", "| logfmt", "| logfmt --strict", "| logfmt --keep-empty", "| json a=\"user.name\", b=\"list[0]\"", "| json status", "| logfmt x=\"status\", took", "| logfmt --strict --keep-empty",
        "| regexp \"(?P<verb>GET|POST) (?P<path>\\\\S+)\"", "| pattern \"<ip> - <_> <rest>\"", "| pattern \"<first> <_>\"", "| unpack", "| decolorize", "| json | logfmt", "| logfmt | json",
        "| json user=\"user\", raw=\"list\"", "| json x=\"[\\\"user\\\"][\\\"id\\\"]\"",
    ];

    private static readonly string[] Filters =
    [
        "| status >= 500", "| status = 404", "| took > 100ms", "| took <= 1m", "| size > 1KB", "| size < 20MiB", "| level=\"error\"", "| level!=\"info\"", "| user_name=~\"a.*\"", "| detected_level=\"error\"", "| detected_level!=\"error\"",
        "| status=500 or took>1s", "| level=\"error\" and status>=400", "| level=\"error\", status>=400", "| (level=\"error\" or level=\"warn\") status>=400", "| addr=ip(\"10.0.0.0/8\")", "| addr!=ip(\"10.0.0.0/8\")",
        "| unit=\"ssh\"", "| __error__=\"\"", "| __error__!=\"\"", "| nothing=\"\"", "| nothing=\"x\"", "| instance=~\"web[12]\"", "| status!=500 | took<2s", "| status > 1.5e2", "| level=~\"err.*|warn\"", "| detected_level=~\"error|warn\" | logfmt",
    ];

    private static readonly string[] Formats =
    [
        "| line_format \"{{.instance}}: {{.status}}\"", "| line_format \"{{__line__ | upper}}\"", "| line_format \"{{.level | ToUpper}} {{ .took }}\"", "| label_format level=detected_level", "| label_format s=status, where=`{{.instance}}-{{.level}}`",
        "| label_format where=\"{{ default \\\"none\\\" .unit }}\"", "| line_format `{{ if eq .level \"error\" }}bad{{ else if .status }}{{.status}}{{ else }}fine{{ end }}`",
        "| line_format `{{ printf \"%-8s|%5s\" .level .status }}`", "| line_format `{{ regexReplaceAll \"(\\\\d)\" __line__ \"<${1}>\" }}`", "| line_format `{{ replace \"e\" \"E\" __line__ }}`",
        "| line_format `{{ .status | int | add 1 }} {{ mulf 1.5 2 }}`", "| line_format `{{ with .level }}<{{ . }}>{{ else }}none{{ end }}`", "| line_format `{{ $x := .level }}{{ $x }}{{ $x }}`", "| line_format `{{ alignLeft 5 .level }}|{{ alignRight 5 .status }}`",
        "| line_format `{{ range $i, $e := fromJson __line__ }}{{ $i }};{{ end }}`", "| line_format `{{ (fromJson __line__).status }}`", "| line_format `{{ __timestamp__ | unixEpoch }}`", "| line_format `{{ __timestamp__ | date \"2006-01-02T15:04:05.00Z-07:00\" }}`",
        "| line_format `{{ duration .took }} {{ bytes .size }}`", "| line_format `{{ .level | contains \"err\" }}{{ hasPrefix \"i\" .level }}`", "| line_format `{{ title .level }} {{ .level | trimSuffix \"r\" }} {{ Trim \"xxaxx\" \"x\" }} {{ trimAll \"o\" .level }}`",
        "| label_format n=`{{ len .level }}`", "| line_format `{{ unixToTime \"1679577215\" | date \"02 Jan 06 15:04 Mon January\" }}`", "| line_format `{{ count \"[a-z]\" __line__ }} {{ repeat 2 .level }} {{ round 3.14159 2 }} {{ floor 2.7 }} {{ ceil 2.1 }} {{ max 1 7 3 }} {{ minf 1.5 0.5 }}`",
        "| line_format `{{ and .level .status }}|{{ or .level .status }}|{{ not .level }}|{{ ne .level \"x\" }}|{{ gt 3 2 }}|{{ index (fromJson \"{\\\"a\\\":[1,2]}\") \"a\" }}`", "| line_format `{{ urlencode __line__ }} {{ b64enc .level }} {{ \"YWJj\" | b64dec }}`",
    ];

    // Loki finds no label again that was dropped: these come last.
    private static readonly string[] Endings = ["| drop level", "| drop level, status=\"500\"", "| keep instance, level", "| keep level=\"error\"", "| drop __error__, __error_details__"];

    private static readonly string[] Unwraps = ["| unwrap status", "| unwrap duration(took)", "| unwrap bytes(size)", "| unwrap duration_seconds(took)", "| unwrap status | __error__=\"\"", "| unwrap took | __error__=\"\"", "| unwrap status | status > 300"];

    private static readonly string[] LineRanges = ["rate", "count_over_time", "bytes_rate", "bytes_over_time"];

    private static readonly string[] NumberRanges =
        ["rate", "sum_over_time", "avg_over_time", "min_over_time", "max_over_time", "stddev_over_time", "stdvar_over_time", "first_over_time", "last_over_time", "rate_counter", "quantile_over_time"];

    private static readonly string[] Groupings = ["by (instance)", "by (level)", "by (detected_level)", "without (instance)", "by (instance, status)", "by ()", "by (level, detected_level)"];

    /// <summary>Lines, each of a millisecond of its own.</summary>
    public IReadOnlyList<PeerLine> Lines(long from, int count)
    {
        string[] streams = ["instance=web1,input=nginx,severity=info", "instance=web1,input=syslog,severity=error", "instance=web2,input=nginx", "instance=web3", "instance=web2,input=syslog,severity=warn"];
        var lines = new List<PeerLine>();
        for (var i = 0; i < count; i++)
        {
            (string, string)[] attributes = random.Next(4) switch { 0 => [("unit", Pick("ssh", "cron"))], 1 => [("unit", "ssh"), ("pid", Text(random.Next(100)))], _ => [] };
            lines.Add(new PeerLine(from + (i * 1000L) + random.Next(1000), Pick(streams), Body(), attributes));
        }

        return lines;
    }

    /// <summary>A query and whether it gives numbers.</summary>
    public (string Query, bool IsMetric) Next()
    {
        if (random.Next(5) < 3)
        {
            return (Pipeline(), false);
        }

        return (Metric(2), true);
    }

    private string Pipeline(bool isCounted = false)
    {
        var query = Pick(Selectors);
        for (var i = random.Next(3); i > 0; i--)
        {
            query += " " + Pick(LineFilters);
        }

        for (var i = random.Next(4); i > 0; i--)
        {
            query += " " + (random.Next(7) switch { < 3 => Pick(Parsers), < 5 => Pick(Filters), < 6 when !isCounted => Pick(Formats), _ => Pick(LineFilters) });
        }

        return query + (random.Next(6) == 0 && !isCounted ? " " + Pick(Endings) : "");
    }

    private string Metric(int depth)
    {
        var choice = random.Next(depth == 0 ? 3 : 9);
        switch (choice)
        {
            case 0 or 1:
                return $"{Pick(LineRanges)}({Pipeline(isCounted: true)} | __error__=\"\" [{Pick("1m", "30s", "90s")}]{Pick("", "", " offset 1m")})";
            case 2:
                var function = Pick(NumberRanges);
                var takesGrouping = function is not ("rate" or "sum_over_time" or "rate_counter");
                return $"{function}({(function == "quantile_over_time" ? Pick("0.5, ", "0.9, ") : "")}{Pick(Selectors)} {Pick("| logfmt", "| json", "| logfmt | json")} | __error__=\"\" {Pick(Unwraps)} | __error__=\"\" [{Pick("1m", "2m")}]){(takesGrouping && random.Next(2) == 0 ? " " + Pick(Groupings) : "")}";
            case 3 or 4:
                return $"{Pick("sum", "avg", "min", "max", "count", "stddev", "stdvar")} {Pick(Groupings)} ({Metric(depth - 1)})";
            case 5:
                return $"{Pick("topk", "bottomk")}(5000, {Metric(depth - 1)})"; // all: which of equal ones come first is chance
            case 6:
                return $"sum by (instance) ({Metric(depth - 1)}) {Pick("+", "-", "*", "/", ">", "<=", "== bool", "and", "or", "unless", "%", "^")} sum by (instance) ({Metric(depth - 1)})";
            case 7:
                return $"{Metric(depth - 1)} {Pick("*", "/", ">", "> bool", "!=")} {Pick("2", "0.5", "0", "-1")}";
            default:
                return Pick(
                    $"label_replace({Metric(depth - 1)}, \"where\", \"$1-x\", \"instance\", \"(web).*\")", $"absent_over_time({Pick(Selectors)} |= \"nowhere\" [1m])", "vector(1)", $"sort({Metric(depth - 1)})", $"sum({Metric(depth - 1)}) or vector(0)",
                    $"sum by (instance, level) ({Metric(depth - 1)}) / on (instance) group_left () sum by (instance) ({Metric(depth - 1)})");
        }
    }

    private string Body() => random.Next(10) switch
    {
        0 or 1 or 2 => $"level={Pick("info", "error", "warn")} status={Pick("200", "404", "500", "502")} took={Pick("1.5s", "20ms", "2m", "3x")} size={Pick("10KB", "512B", "3MiB", "17")} msg=\"{Pick("it failed badly", "a \\\"b\\\" c", "", "x=y")}\" addr={Pick("10.1.2.3", "192.168.0.5", "none")}",
        3 or 4 => $"{{\"level\":\"{Pick("info", "error")}\",\"status\":{Pick("200", "500", "null", "1.5")},\"took\":\"{Pick("1.5s", "20ms")}\",\"user\":{{\"name\":\"{Pick("anna", "bob", "a\\u00e9 \\n")}\",\"id\":{random.Next(5)}}},\"list\":[{random.Next(9)},\"b\"],\"ok\":true,\"size\":\"{Pick("10KB", "1MB")}\",\"a.b-c\":\"d\"}}",
        5 => $"{Pick("10.1.2.3", "192.168.0.7", "::1")} - - {Pick("GET", "POST")} /{Pick("a", "b?x=1", "c d")} {Pick("200", "500")} a.b* error",
        6 => $"\u001b[31m{Pick("error", "ok")}\u001b[0m {Pick("timeout", "Timeout", "slow")} after {random.Next(2000)}ms 😀",
        7 => $"{{\"pod\":\"p{random.Next(3)}\",\"_entry\":\"the {Pick("error", "line")}\"}}",
        8 => Pick("plain words without sense", "é日本語 text", "x", " ", "=", "a=", "=b", "a=b=c", "[1,2]", "{}", "{\"a\":{\"b\":{\"c\":1}},\"a_b\":2}", "level=info level=error", "key=\"un closed", "k=v ==", "lone \\ud800", "connection failed here"),
        _ => $"{Pick("error", "warning")}: disk {Pick("sda", "sdb")} failed with code {random.Next(100)}",
    };

    private T Pick<T>(params T[] choices) => choices[random.Next(choices.Length)];

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
