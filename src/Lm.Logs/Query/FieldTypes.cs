using System.Globalization;
using System.Text;

namespace Lm.Logs.Query;

/// <summary>Tells what a label's value can be compared as.</summary>
public static class FieldTypes
{
    // Longer texts are no amounts.
    private const int AmountLengthMax = 64;

    /// <summary>The narrowest type that a value fits.</summary>
    public static FieldType Of(string value)
    {
        if (value.Length is 0 or > AmountLengthMax)
        {
            return FieldType.Text;
        }

        var text = Encoding.UTF8.GetBytes(value);
        return long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) ? FieldType.Whole
            : Quantity.TryNumber(text, out _) ? FieldType.Number
            : value is "true" or "false" ? FieldType.Truth
            : Quantity.TryDuration(text, out _) ? FieldType.Duration
            : Quantity.TryBytes(text, out _) ? FieldType.Bytes
            : FieldType.Text;
    }
}

/// <summary>What a label's value can be compared as.</summary>
public enum FieldType
{
    /// <summary>Anything else.</summary>
    Text,

    /// <summary>A whole number.</summary>
    Whole,

    /// <summary>A number.</summary>
    Number,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Truth,

    /// <summary>A duration.</summary>
    Duration,

    /// <summary>A size with its unit.</summary>
    Bytes,
}
