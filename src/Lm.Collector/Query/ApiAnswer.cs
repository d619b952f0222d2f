using Lm.Tsdb;

namespace Lm.Collector.Query;

/// <summary>A successful answer of the API: <c>{"status":"success","data":…,"warnings":[…],"infos":[…]}</c>.</summary>
internal static class ApiAnswer
{
    /// <summary>Begins it, and opens <c>data</c>, which the caller writes.</summary>
    public static JsonOutput Begin(HttpResponse response)
    {
        response.ContentType = ApiJson.ContentType;
        var json = new JsonOutput(response);
        json.Raw("{\"status\":\"success\",\"data\":"u8);
        return json;
    }

    /// <summary>Ends it.</summary>
    public static ValueTask EndAsync(JsonOutput json, IReadOnlyList<string> warnings, IReadOnlyList<string> infos, CancellationToken cancellationToken)
    {
        WriteTexts(json, ",\"warnings\":"u8, warnings);
        WriteTexts(json, ",\"infos\":"u8, infos);
        json.Raw("}"u8);
        return json.EndAsync(cancellationToken);
    }

    /// <summary>Writes an answer whose data is a fixed text of JSON.</summary>
    public static ValueTask WriteAsync(HttpContext context, ReadOnlySpan<byte> data)
    {
        var json = Begin(context.Response);
        json.Raw(data);
        return EndAsync(json, [], [], context.RequestAborted);
    }

    /// <summary>Writes labels as an object.</summary>
    public static void Labels(JsonOutput json, LabelSet labels)
    {
        var first = true;
        json.Raw("{"u8);
        foreach (ref readonly var label in labels.Labels)
        {
            if (!first)
            {
                json.Raw(","u8);
            }

            first = false;
            json.Text(label.Name);
            json.Raw(":"u8);
            json.Text(label.Value);
        }

        json.Raw("}"u8);
    }

    private static void WriteTexts(JsonOutput json, ReadOnlySpan<byte> name, IReadOnlyList<string> texts)
    {
        if (texts.Count == 0)
        {
            return;
        }

        json.Raw(name);
        json.Raw("["u8);
        for (var i = 0; i < texts.Count; i++)
        {
            json.Raw(i > 0 ? ","u8 : ""u8);
            json.Text(texts[i]);
        }

        json.Raw("]"u8);
    }
}
