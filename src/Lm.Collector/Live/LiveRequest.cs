using Lm.Collector.Query;
using Lm.PromQL;
using Lm.Tsdb;

namespace Lm.Collector.Live;

/// <summary>The parameters of <c>/api/v1/live</c>.</summary>
internal static class LiveRequest
{
    /// <summary>Values of one parameter.</summary>
    public const int ValuesMax = 64;

    private static readonly (string Name, LiveKinds Kind)[] Kinds =
        [("batch", LiveKinds.Batch), ("sample", LiveKinds.Sample), ("log", LiveKinds.Log), ("alert", LiveKinds.Alert)];

    /// <summary>Reads the filter; on a fault the request has it.</summary>
    public static LiveFilter? Read(ApiRequest request)
    {
        var agents = Values(request, "agent");
        var texts = Values(request, "match[]");
        var selectors = new List<IReadOnlyList<LabelMatcher>>();
        foreach (var text in texts)
        {
            if (!PromParser.TryParseSelector(text, request.Semantics, out var matchers, out var fault))
            {
                request.Fail("match[]", fault.ToString());
                return null;
            }

            selectors.Add(matchers);
        }

        var lines = request.First("query");
        var query = LogAsk.ReadLinesQuery(request, lines ?? LogAsk.AllLines);
        var kinds = ReadKinds(request, hasSelectors: texts.Count > 0, hasQuery: lines is not null);
        var key = string.Join('\n', [kinds.ToString(), .. agents.Order(StringComparer.Ordinal), "", .. texts, "", query?.ToString()]);
        return request.Error is null ? new LiveFilter(kinds, agents, selectors, query!, key) : null;
    }

    /// <summary>Where the client was: the header, or the parameter for clients that cannot set one.</summary>
    public static string? LastEventId(HttpRequest http, ApiRequest request) =>
        http.Headers["Last-Event-ID"] is [{ Length: > 0 } header] ? header : request.First("last_event_id");

    // Who names series did not ask for lines, and the other way round; batches and alerts are few.
    private static LiveKinds ReadKinds(ApiRequest request, bool hasSelectors, bool hasQuery)
    {
        if (request.First("events") is not { } text)
        {
            return LiveKinds.All & ~((hasSelectors, hasQuery) switch
            {
                (true, false) => LiveKinds.Log,
                (false, true) => LiveKinds.Sample,
                _ => LiveKinds.None,
            });
        }

        var kinds = LiveKinds.None;
        foreach (var name in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var kind = Kinds.FirstOrDefault(each => each.Name == name).Kind;
            if (kind == LiveKinds.None)
            {
                request.Fail("events", $"\"{name}\" is no kind of event; there are {string.Join(", ", Kinds.Select(each => each.Name))}, separated by commas");
            }

            kinds |= kind;
        }

        return kinds;
    }

    private static IReadOnlyList<string> Values(ApiRequest request, string name)
    {
        var values = request.All(name);
        if (values.Count > ValuesMax)
        {
            request.Fail(name, $"given {values.Count} times; at most {ValuesMax} are allowed");
        }

        return values;
    }
}
