namespace Lm.Toml;

/// <summary>A value and where it stands. A closed set.</summary>
internal abstract class TomlValue
{
    private TomlValue(TomlPosition position) => Position = position;

    /// <summary>Where its first character stands; of a table with a header, where the header does.</summary>
    public TomlPosition Position { get; }

    /// <summary>Its type for messages, with the article.</summary>
    public abstract string Kind { get; }

    /// <summary>A string.</summary>
    public sealed class Text(string value, TomlPosition position) : TomlValue(position)
    {
        public string Value { get; } = value;

        public override string Kind => "a string";
    }

    /// <summary>An integer.</summary>
    public sealed class Integer(long value, TomlPosition position) : TomlValue(position)
    {
        public long Value { get; } = value;

        public override string Kind => "an integer";
    }

    /// <summary>A float; infinities and NaN too.</summary>
    public sealed class Float(double value, TomlPosition position) : TomlValue(position)
    {
        public double Value { get; } = value;

        public override string Kind => "a float";
    }

    /// <summary>A boolean.</summary>
    public sealed class Truth(bool value, TomlPosition position) : TomlValue(position)
    {
        public bool Value { get; } = value;

        public override string Kind => "a boolean";
    }

    /// <summary>A date, a time, or both.</summary>
    public sealed class Moment(TomlDateTime value, TomlPosition position) : TomlValue(position)
    {
        public TomlDateTime Value { get; } = value;

        public override string Kind => Value switch { { Time: null } => "a date", { Date: null } => "a time", _ => "a date-time" };
    }

    /// <summary>An array.</summary>
    /// <param name="growsByHeaders">Whether it came from <c>[[headers]]</c>; one written with brackets is complete where it stands.</param>
    /// <param name="position">Where.</param>
    public sealed class Array(bool growsByHeaders, TomlPosition position) : TomlValue(position)
    {
        public List<TomlValue> Items { get; } = [];

        public bool GrowsByHeaders { get; } = growsByHeaders;

        public override string Kind => GrowsByHeaders ? "an array of tables" : "an array";
    }

    /// <summary>A table.</summary>
    public sealed class Table(TableOrigin origin, TomlPosition position) : TomlValue(position)
    {
        public OrderedDictionary<string, Entry> Entries { get; } = new(StringComparer.Ordinal);

        public TableOrigin Origin { get; set; } = origin;

        public override string Kind => Origin == TableOrigin.Inline ? "an inline table" : "a table";
    }

    /// <summary>A key's place and its value.</summary>
    public readonly record struct Entry(TomlPosition KeyPosition, TomlValue Value);

    /// <summary>What made a table; it decides what may be added to it later.</summary>
    public enum TableOrigin
    {
        /// <summary>A header of a table in it, as <c>[a]</c> is by <c>[a.b]</c>: its own header may still come.</summary>
        HeaderBelow,

        /// <summary>Its own header, or the document: no second header, no dotted key from above.</summary>
        Header,

        /// <summary>A dotted key: more dotted keys may add to it, a header may not.</summary>
        DottedKey,

        /// <summary>Braces: complete where it stands.</summary>
        Inline,
    }
}
