using System.Globalization;
using System.Text;

namespace Lm.Logs.Query.Templates;

/// <summary>A value in a template: a text, a number, a whole number, a truth, a time, or a piece of a JSON document.</summary>
internal readonly record struct TemplateValue
{
    private readonly object? data; // the text, the members or the elements
    private readonly double number;
    private readonly DateTimeOffset time;
    private readonly TemplateKind kind;

    public TemplateValue(string text) => (data, kind) = (text, TemplateKind.Text);

    public TemplateValue(double number) => (this.number, kind) = (number, TemplateKind.Number);

    public TemplateValue(long whole) => (number, kind) = (whole, TemplateKind.Whole);

    public TemplateValue(bool truth) => (number, kind) = (truth ? 1 : 0, TemplateKind.Truth);

    public TemplateValue(DateTimeOffset time) => (this.time, kind) = (time, TemplateKind.Time);

    public TemplateValue(SortedDictionary<string, TemplateValue> members) => (data, kind) = (members, TemplateKind.Members);

    public TemplateValue(TemplateValue[] elements) => (data, kind) = (elements, TemplateKind.Elements);

    /// <summary>No value: a member that is not there, or JSON's null.</summary>
    public static TemplateValue Nothing => default;

    /// <summary>Whether it is a text.</summary>
    public bool IsText => kind == TemplateKind.Text;

    /// <summary>Whether it counts as true: not empty, not 0, not false, not nothing.</summary>
    public bool IsTrue => kind switch
    {
        TemplateKind.Nothing => false,
        TemplateKind.Text => ((string)data!).Length > 0,
        TemplateKind.Members => Members!.Count > 0,
        TemplateKind.Elements => Elements!.Length > 0,
        TemplateKind.Time => true,
        _ => number != 0,
    };

    /// <summary>What an object of JSON has, by name; null when it is none.</summary>
    public SortedDictionary<string, TemplateValue>? Members => data as SortedDictionary<string, TemplateValue>;

    /// <summary>What an array of JSON has; null when it is none.</summary>
    public TemplateValue[]? Elements => data as TemplateValue[];

    /// <summary>A member of an object.</summary>
    /// <exception cref="TemplateException">It is no object.</exception>
    public TemplateValue Member(string name) => Members is not { } members
        ? throw new TemplateException($"there is no .{name} in {(kind == TemplateKind.Nothing ? "nothing" : "what is no object")}")
        : members.GetValueOrDefault(name);

    /// <summary>As a time.</summary>
    /// <exception cref="TemplateException">It is none.</exception>
    public DateTimeOffset AsTime() => kind == TemplateKind.Time ? time : throw new TemplateException("a time is expected, as __timestamp__ or unixToTime gives");

    /// <summary>As a number; a text that is none is 0, as in Loki.</summary>
    public double AsNumber() => kind != TemplateKind.Text ? number : Quantity.TryNumber(Encoding.UTF8.GetBytes((string)data!), out var read) ? read : 0;

    /// <summary>As a whole number: a number is cut off towards 0; a text that is none is 0, as in Loki.</summary>
    /// <exception cref="TemplateException">It is too large.</exception>
    public long AsWhole()
    {
        var value = Math.Truncate(AsNumber());
        return kind == TemplateKind.Text && value != AsNumber() ? 0
            : Math.Abs(value) < 1e18 ? (long)value
            : throw new TemplateException($"{Quantity.PrintNumber(value)} is too large for a whole number");
    }

    /// <summary>As a size or place in a text.</summary>
    public int AsCount() => (int)Math.Clamp(AsWhole(), int.MinValue, int.MaxValue);

    /// <summary>As it is printed, as Go prints it.</summary>
    public override string ToString() => kind switch
    {
        TemplateKind.Nothing => "<no value>",
        TemplateKind.Text => (string)data!,
        TemplateKind.Truth => number != 0 ? "true" : "false",
        TemplateKind.Whole => ((long)number).ToString(CultureInfo.InvariantCulture),
        TemplateKind.Time => GoTime.Format(time, "2006-01-02 15:04:05.999999999 -0700 MST"),
        TemplateKind.Members => $"map[{string.Join(' ', Members!.Select(static member => $"{member.Key}:{member.Value.Inside}"))}]",
        TemplateKind.Elements => $"[{string.Join(' ', Elements!.Select(static element => element.Inside))}]",
        _ => Print(number),
    };

    // Within others nothing has another name.
    private string Inside => kind == TemplateKind.Nothing ? "<nil>" : ToString();

    // The shortest digits; with an exponent below 0.0001 and from a million on, as Go does.
    private static string Print(double number)
    {
        if (!double.IsFinite(number))
        {
            return double.IsNaN(number) ? "NaN" : number > 0 ? "+Inf" : "-Inf";
        }

        var shortest = number.ToString("R", CultureInfo.InvariantCulture);
        var size = Math.Abs(number);
        if (size == 0 || size is >= 1e-4 and < 1e6)
        {
            return shortest;
        }

        var exponentAt = shortest.IndexOf('E', StringComparison.Ordinal);
        var mantissa = exponentAt < 0 ? shortest : shortest[..exponentAt];
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal).Trim('-').Trim('0');
        var scientific = number.ToString("E16", CultureInfo.InvariantCulture);
        var exponent = int.Parse(scientific.AsSpan(scientific.IndexOf('E', StringComparison.Ordinal) + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{(number < 0 ? "-" : "")}{digits[0]}{(digits.Length > 1 ? "." : "")}{digits[1..]}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");
    }

    private enum TemplateKind : byte
    {
        Nothing,
        Text,
        Number,
        Whole,
        Truth,
        Time,
        Members,
        Elements,
    }
}

/// <summary>A template cannot be filled with a line's labels.</summary>
internal sealed class TemplateException(string message) : Exception(message);
