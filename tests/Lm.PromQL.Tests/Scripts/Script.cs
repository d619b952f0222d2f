using System.Globalization;
using System.Text.RegularExpressions;
using Lm.Tsdb;

namespace Lm.PromQL.Tests.Scripts;

/// <summary>A test script: what to load, what to ask, what must come out.</summary>
/// <remarks>The language is described in Prometheus' promql/promqltest/README.md.</remarks>
internal sealed record Script(IReadOnlyList<ScriptCommand> Commands)
{
    /// <summary>Reads a script.</summary>
    public static Script Parse(string text)
    {
        var lines = text.Split('\n');
        var commands = new List<ScriptCommand>();
        for (var i = 0; i < lines.Length; i++)
        {
            if (IsEmpty(lines[i]))
            {
                continue;
            }

            var head = i;
            var body = new List<string>();
            while (lines[head].Trim() != "clear" && i + 1 < lines.Length && !IsEmpty(lines[i + 1]))
            {
                body.Add(lines[++i].Trim());
            }

            commands.Add(ParseCommand(head + 1, lines[head].Trim(), body));
        }

        return new Script(commands);
    }

    /// <summary>Reads labels at the start of a line.</summary>
    /// <returns>The labels, and what stands behind them.</returns>
    public static (LabelSet Labels, string Behind) ParseLabels(string line)
    {
        var open = line.IndexOfAny(['{', ' ', '\t']);
        var end = open < 0 ? line.Length : open;
        if (open >= 0 && line[open] == '{')
        {
            var quoted = false;
            for (end = open + 1; quoted || line[end] != '}'; end++)
            {
                quoted ^= line[end] == '"';
                end += line[end] == '\\' ? 1 : 0;
            }

            end++;
        }

        var source = line[..end];
        var labels = new List<Label>();
        var name = open < 0 ? line : line[..open];
        if (name.Length > 0)
        {
            labels.Add(new Label(LabelSet.MetricNameLabel, name));
        }

        // A selector's matchers are labels here.
        if (source.Contains('=', StringComparison.Ordinal) || source.Contains("{\"", StringComparison.Ordinal))
        {
            Assert.True(PromParser.TryParseSelector(source, PromSemantics.V3, out var matchers, out var fault), $"{source}: {fault}");
            labels.AddRange(matchers.Where(matcher => name.Length == 0 || matcher.Name != LabelSet.MetricNameLabel).Select(matcher => new Label(matcher.Name, matcher.Value)));
        }

        return (new LabelSet([.. labels]), line[end..].Trim());
    }

    /// <summary>Reads a list of points; null stands for none at that time.</summary>
    public static IReadOnlyList<double?> ParsePoints(string text)
    {
        var points = new List<double?>();
        foreach (var word in text.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
        {
            AddPoints(points, word);
        }

        return points;
    }

    private static void AddPoints(List<double?> points, string word)
    {
        var times = Regex.Match(word, @"^(?<first>_|[-+]?(?:[0-9.]+(?:e[-+]?[0-9]+)?|NaN|Inf))(?<step>[-+](?:[0-9.]+(?:e[-+]?[0-9]+)?|NaN|Inf))?x(?<count>[0-9]+)$", RegexOptions.IgnoreCase);
        if (!times.Success)
        {
            points.Add(word == "_" ? null : word == "stale" ? BitConverter.Int64BitsToDouble(StaleMarker.Bits) : ParseNumber(word));
            return;
        }

        var count = int.Parse(times.Groups["count"].Value, CultureInfo.InvariantCulture);
        if (times.Groups["first"].Value == "_")
        {
            points.AddRange(Enumerable.Repeat<double?>(null, count));
            return;
        }

        var value = ParseNumber(times.Groups["first"].Value);
        var step = times.Groups["step"].Success ? ParseNumber(times.Groups["step"].Value) : 0;
        for (var i = 0; i <= count; i++)
        {
            points.Add(value);
            value += step;
        }
    }

    /// <summary>Reads a number.</summary>
    public static double ParseNumber(string text)
    {
        var sign = text.StartsWith('-') ? -1 : 1;
        Assert.True(NumberText.TryParse(text.TrimStart('+', '-'), out var number, out var fault), fault);
        return sign * number;
    }

    private static bool IsEmpty(string line) => line.Trim() is "" or ['#', ..];

    private static long ParseTime(string text) =>
        PromDuration.TryParse(text, out var milliseconds, out _) ? milliseconds : (long)(double.Parse(text, CultureInfo.InvariantCulture) * 1000);

    private static ScriptCommand ParseCommand(int line, string head, List<string> body)
    {
        if (head == "clear")
        {
            return new ClearCommand(line);
        }

        var words = head.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (words[0] is "load" or "load_with_nhcb")
        {
            return new LoadCommand(line, ParseTime(words[1]), body, words[0] == "load_with_nhcb");
        }

        var instant = Regex.Match(head, @"^eval(?<kind>_\w+)?\s+instant\s+(?:at\s+(?<at>\S+))\s+(?<query>.+)$", RegexOptions.Singleline);
        if (instant.Success)
        {
            var at = ParseTime(instant.Groups["at"].Value);
            return ParseEval(line, instant.Groups["kind"].Value, at, at, 0, instant.Groups["query"].Value, body);
        }

        var range = Regex.Match(head, @"^eval(?<kind>_\w+)?\s+range\s+from\s+(?<from>\S+)\s+to\s+(?<to>\S+)\s+step\s+(?<step>\S+)\s+(?<query>.+)$", RegexOptions.Singleline);
        Assert.True(range.Success, $"line {line} is no command: {head}");
        return ParseEval(line, range.Groups["kind"].Value, ParseTime(range.Groups["from"].Value), ParseTime(range.Groups["to"].Value),
            ParseTime(range.Groups["step"].Value), range.Groups["query"].Value, body);
    }

    private static EvalCommand ParseEval(int line, string kind, long start, long end, long step, string query, List<string> body)
    {
        var expectations = new List<Expectation>();
        if (kind.Length > 0)
        {
            expectations.Add(new Expectation(kind[1..], null, false));
        }

        string? text = null;
        var expected = new List<string>();
        foreach (var entry in body)
        {
            if (Regex.Match(entry, @"^expect\s+string\s+(?<text>.+)$") is { Success: true } stringMatch)
            {
                text = QuotedText.Unquote(stringMatch.Groups["text"].Value);
            }
            else if (Regex.Match(entry, @"^expect\s+(?<kind>\w+)(?:\s+(?<form>msg|regex)\s*:\s*(?<text>.+))?$") is { Success: true } match)
            {
                expectations.Add(new Expectation(match.Groups["kind"].Value, match.Groups["text"] is { Success: true } given ? given.Value : null, match.Groups["form"].Value == "regex"));
            }
            else if (Regex.Match(entry, @"^expected_fail_(?<form>message|regexp)\s+(?<text>.+)$") is { Success: true } old)
            {
                expectations.Add(new Expectation("fail", old.Groups["text"].Value, old.Groups["form"].Value == "regexp"));
            }
            else
            {
                expected.Add(entry);
            }
        }

        return new EvalCommand(line, start, end, step, query, expectations, expected, text);
    }
}

/// <summary>One command of a script.</summary>
internal abstract record ScriptCommand(int Line);

/// <summary>Forget all data.</summary>
internal sealed record ClearCommand(int Line) : ScriptCommand(Line);

/// <summary>Add series.</summary>
internal sealed record LoadCommand(int Line, long Step, IReadOnlyList<string> Series, bool WantsNativeHistograms) : ScriptCommand(Line);

/// <summary>Ask, and compare.</summary>
/// <param name="Line">Where it stands.</param>
/// <param name="Start">The first time, or the only one.</param>
/// <param name="End">The last.</param>
/// <param name="Step">0 for an instant query.</param>
/// <param name="Query">What is asked.</param>
/// <param name="Expectations">What must hold beside the values.</param>
/// <param name="Expected">The lines with values.</param>
/// <param name="Text">The text that must come out, when it is one.</param>
internal sealed record EvalCommand(
    int Line, long Start, long End, long Step, string Query, IReadOnlyList<Expectation> Expectations, IReadOnlyList<string> Expected, string? Text) : ScriptCommand(Line)
{
    /// <summary>Whether it must fail.</summary>
    public bool MustFail => Expectations.Any(expectation => expectation.Kind == "fail");

    /// <summary>Whether the order of series counts.</summary>
    public bool IsOrdered => Expectations.Any(expectation => expectation.Kind == "ordered");
}

/// <summary>A condition on an answer.</summary>
/// <param name="Kind">fail, ordered, warn, info, no_warn, no_info.</param>
/// <param name="Text">The message; null for any.</param>
/// <param name="IsRegex">Whether it is an expression.</param>
internal sealed record Expectation(string Kind, string? Text, bool IsRegex);
