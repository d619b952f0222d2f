using System.Globalization;
using System.Text;

namespace Lm.Collector.Query;

/// <summary>Label names in paths of the API.</summary>
/// <remarks><c>U__a_2e_b</c> stands for <c>a.b</c>: https://prometheus.io/docs/prometheus/latest/querying/api/#querying-label-values.</remarks>
internal static class EscapedName
{
    /// <summary>Whether a name is one of Prometheus 2: letters, digits and underscores.</summary>
    public static bool IsPlain(string name) => name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => c == '_' || char.IsAsciiLetterOrDigit(c));

    /// <summary>Reads an escaped name; one whose escapes are no such stays as it is.</summary>
    public static string Unescape(string name)
    {
        var text = new StringBuilder(name.Length);
        var rest = name.AsSpan(3);
        while (!rest.IsEmpty)
        {
            if (rest[0] != '_')
            {
                text.Append(rest[0]);
                rest = rest[1..];
                continue;
            }

            if (rest.StartsWith("__"))
            {
                text.Append('_');
                rest = rest[2..];
                continue;
            }

            var end = rest[1..].IndexOf('_');
            if (end is < 1 or > 6 || !int.TryParse(rest.Slice(1, end), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) || !Rune.IsValid(code))
            {
                return name;
            }

            text.Append(new Rune(code).ToString());
            rest = rest[(end + 2)..];
        }

        return text.ToString();
    }
}
