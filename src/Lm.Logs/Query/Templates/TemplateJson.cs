using System.Text;
using System.Text.Json;
using Lm.Logs.Query.Pipeline;

namespace Lm.Logs.Query.Templates;

/// <summary><c>fromJson</c>: a text of JSON as values.</summary>
internal static class TemplateJson
{
    private const int DepthMax = 32;

    // Objects, arrays and values of one text.
    private const int ValuesMax = 10_000;

    /// <summary>Reads a text; nothing when it is no JSON, or more than is allowed.</summary>
    public static TemplateValue Read(string text)
    {
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text), new JsonReaderOptions { MaxDepth = DepthMax });
        try
        {
            var left = ValuesMax;
            reader.Read();
            var value = Value(ref reader, ref left);
            return reader.Read() ? TemplateValue.Nothing : value;
        }
        catch (JsonException)
        {
            return TemplateValue.Nothing;
        }
    }

    private static TemplateValue Value(ref Utf8JsonReader reader, ref int left)
    {
        if (--left < 0)
        {
            throw new TemplateException($"fromJson: the text has more than {ValuesMax} values");
        }

        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var members = new SortedDictionary<string, TemplateValue>(StringComparer.Ordinal);
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    var name = Text(ref reader);
                    reader.Read();
                    members[name] = Value(ref reader, ref left);
                }

                return new TemplateValue(members);
            case JsonTokenType.StartArray:
                var elements = new List<TemplateValue>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    elements.Add(Value(ref reader, ref left));
                }

                return new TemplateValue([.. elements]);
            case JsonTokenType.String:
                return new TemplateValue(Text(ref reader));
            case JsonTokenType.Number:
                return new TemplateValue(reader.TryGetDouble(out var number) ? number : throw new TemplateException("fromJson: a number is too large"));
            case JsonTokenType.True or JsonTokenType.False:
                return new TemplateValue(reader.TokenType == JsonTokenType.True);
            default:
                return TemplateValue.Nothing;
        }
    }

    private static string Text(ref Utf8JsonReader reader)
    {
        byte[] room = [];
        return Encoding.UTF8.GetString(JsonText.ValueOf(ref reader, ref room));
    }
}
