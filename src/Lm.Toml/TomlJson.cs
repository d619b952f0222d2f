using System.Text.Json;

namespace Lm.Toml;

/// <summary>A document as JSON: the same keys in the same order, tables as objects.</summary>
public static class TomlJson
{
    /// <summary>Writes a document that was read without faults.</summary>
    /// <param name="document">The document.</param>
    /// <param name="writer">Where to.</param>
    /// <exception cref="InvalidOperationException">It has faults, or a date or a number that is not finite, which JSON cannot say and no reader of a document meant for it takes.</exception>
    public static void Write(TomlDocument document, Utf8JsonWriter writer)
    {
        if (document.Faults.Any || document.Top is null)
        {
            throw new InvalidOperationException("a document with faults has no values");
        }

        Write(document.Top, writer);
    }

    // As deep as the parser lets values nest.
    private static void Write(TomlValue value, Utf8JsonWriter writer)
    {
        switch (value)
        {
            case TomlValue.Text text:
                writer.WriteStringValue(text.Value);
                break;
            case TomlValue.Integer integer:
                writer.WriteNumberValue(integer.Value);
                break;
            case TomlValue.Float number when double.IsFinite(number.Value):
                writer.WriteNumberValue(number.Value);
                break;
            case TomlValue.Truth truth:
                writer.WriteBooleanValue(truth.Value);
                break;
            case TomlValue.Array array:
                writer.WriteStartArray();
                foreach (var item in array.Items)
                {
                    Write(item, writer);
                }

                writer.WriteEndArray();
                break;
            case TomlValue.Table table:
                writer.WriteStartObject();
                foreach (var (key, entry) in table.Entries)
                {
                    writer.WritePropertyName(key);
                    Write(entry.Value, writer);
                }

                writer.WriteEndObject();
                break;
            default:
                throw new InvalidOperationException($"line {value.Position.Line}: {value.Kind} has no form in JSON");
        }
    }
}
