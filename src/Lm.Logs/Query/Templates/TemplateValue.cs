using System.Globalization;
using System.Text;

namespace Lm.Logs.Query.Templates;

/// <summary>A value in a template: a text, a number, a whole number or a truth.</summary>
internal readonly record struct TemplateValue
{
    private readonly string? text;
    private readonly double number;
    private readonly TemplateKind kind;

    public TemplateValue(string text) => (this.text, kind) = (text, TemplateKind.Text);

    public TemplateValue(double number) => (this.number, kind) = (number, TemplateKind.Number);

    public TemplateValue(long whole) => (number, kind) = (whole, TemplateKind.Whole);

    public TemplateValue(bool truth) => (number, kind) = (truth ? 1 : 0, TemplateKind.Truth);

    /// <summary>Whether it is a text.</summary>
    public bool IsText => kind == TemplateKind.Text;

    /// <summary>Whether it counts as true: not empty, not 0, not false.</summary>
    public bool IsTrue => kind == TemplateKind.Text ? text!.Length > 0 : number != 0;

    /// <summary>As a number; a text is read as one.</summary>
    /// <exception cref="TemplateException">It is none.</exception>
    public double AsNumber()
    {
        if (kind != TemplateKind.Text)
        {
            return number;
        }

        return Quantity.TryNumber(Encoding.UTF8.GetBytes(text!), out var read) ? read : throw new TemplateException($"{QuotedString.Quote(Cut(text!))} is no number");
    }

    /// <summary>As a whole number, cut off towards 0.</summary>
    /// <exception cref="TemplateException">It is none, or too large.</exception>
    public long AsWhole()
    {
        var value = Math.Truncate(AsNumber());
        return Math.Abs(value) < 1e18 ? (long)value : throw new TemplateException($"{Quantity.PrintNumber(value)} is too large for a whole number");
    }

    /// <summary>As a size or place in a text.</summary>
    public int AsCount() => (int)Math.Clamp(AsWhole(), int.MinValue, int.MaxValue);

    /// <summary>As it is printed.</summary>
    public override string ToString() => kind switch
    {
        TemplateKind.Text => text!,
        TemplateKind.Truth => number != 0 ? "true" : "false",
        TemplateKind.Whole => ((long)number).ToString(CultureInfo.InvariantCulture),
        _ => Quantity.PrintNumber(number),
    };

    private static string Cut(string text) => text.Length <= 32 ? text : text[..32] + "…";

    private enum TemplateKind : byte
    {
        Text,
        Number,
        Whole,
        Truth,
    }
}

/// <summary>A template cannot be filled with a line's labels.</summary>
internal sealed class TemplateException(string message) : Exception(message);
