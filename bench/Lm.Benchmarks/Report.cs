using System.Globalization;

namespace Lm.Benchmarks;

/// <summary>One line of JSON for each measurement.</summary>
internal static class Report
{
    public static void Print(string name, params ReadOnlySpan<(string Name, double Value)> values)
    {
        var line = $"{{\"benchmark\":\"{name}\"";
        foreach (var (field, value) in values)
        {
            line += string.Create(CultureInfo.InvariantCulture, $",\"{field}\":{Math.Round(value, 3)}");
        }

        Console.Out.WriteLine(line + "}");
    }
}
