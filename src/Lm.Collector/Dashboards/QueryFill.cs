using System.Text;

namespace Lm.Collector.Dashboards;

/// <summary>Puts variables' values into a query, so that no value can change what the query is.</summary>
/// <remarks>
/// <c>$name</c> and <c>${name}</c> stand in the string of a matcher or line filter: behind <c>=</c> the value is escaped as the string wants it, behind <c>=~</c> as a
/// regular expression, too. Outside of strings only durations may stand: <c>$__step</c>, <c>$__range</c>, <c>$__rate</c> and variables of the kind interval.
/// The console fills queries by the same rules (console/src/dashboards/fill.ts); tests/fixtures/dashboards/fill.json holds both to them.
/// </remarks>
internal sealed class QueryFill
{
    private static readonly string[] BuiltIn = ["__step", "__range", "__rate"];

    private readonly string query;
    private readonly IReadOnlyList<DashboardVariable> variables;
    private readonly string? repeated;
    private readonly StringBuilder filled = new();
    private int at;
    private string? fault;

    private QueryFill(string query, IReadOnlyList<DashboardVariable> variables, string? repeated) => (this.query, this.variables, this.repeated) = (query, variables, repeated);

    private enum Place
    {
        Bare,
        Text,
        Pattern,
        OtherString,
    }

    /// <summary>Fills in each variable's sample.</summary>
    /// <param name="query">PromQL or LogQL.</param>
    /// <param name="variables">The variables there are.</param>
    /// <param name="repeated">The one that the panel is repeated for: it has one value in each.</param>
    /// <param name="filled">The query to check.</param>
    /// <param name="fault">When false: what is wrong.</param>
    public static bool TryFill(string query, IReadOnlyList<DashboardVariable> variables, string? repeated, out string filled, out string fault)
    {
        var fill = new QueryFill(query, variables, repeated);
        fill.Run();
        (filled, fault) = (fill.filled.ToString(), fill.fault ?? "");
        return fill.fault is null;
    }

    private void Run()
    {
        while (at < query.Length && fault is null)
        {
            switch (query[at])
            {
                case '"' or '\'' or '`':
                    String();
                    break;
                case '#':
                    while (at < query.Length && query[at] != '\n')
                    {
                        Copy();
                    }

                    break;
                case '$' when NameAt() is { } name:
                    Put(name, Place.Bare, '\0');
                    break;
                default:
                    Copy();
                    break;
            }
        }
    }

    private void String()
    {
        var quote = query[at];
        var place = PlaceBehind();
        Copy();
        while (at < query.Length && fault is null)
        {
            if (query[at] == quote)
            {
                Copy();
                return;
            }

            if (query[at] == '\\' && quote != '`')
            {
                Copy();
            }
            else if (query[at] == '$' && NameAt() is { } name)
            {
                Put(name, place, quote);
                continue;
            }

            Copy();
        }
    }

    private Place PlaceBehind()
    {
        var before = query.AsSpan(0, at).TrimEnd();
        return before.EndsWith("=~") || before.EndsWith("!~") || before.EndsWith("|~") ? Place.Pattern : before.EndsWith('=') ? Place.Text : Place.OtherString;
    }

    private void Copy()
    {
        if (at < query.Length)
        {
            filled.Append(query[at++]);
        }
    }

    // The name that begins here, without $ and braces; null when none does, as in label_replace's $1 and a pattern's end.
    private (string Name, int End)? NameAt()
    {
        var isBraced = at + 1 < query.Length && query[at + 1] == '{';
        var start = at + (isBraced ? 2 : 1);
        var end = start;
        while (end < query.Length && (char.IsAsciiLetter(query[end]) || query[end] == '_' || (end > start && char.IsAsciiDigit(query[end]))))
        {
            end++;
        }

        if (end == start || (isBraced && (end == query.Length || query[end] != '}')))
        {
            return null;
        }

        return (query[start..end], isBraced ? end + 1 : end);
    }

    private void Put((string Name, int End) found, Place place, char quote)
    {
        var (name, end) = found;
        var variable = variables.FirstOrDefault(each => each.Name == name);
        var isBuiltIn = variable is null && BuiltIn.Contains(name, StringComparer.Ordinal);
        if (variable is null && !isBuiltIn && place == Place.OtherString)
        {
            Copy(); // a template's own, as in line_format
            return;
        }

        var value = variable?.Sample ?? "15s";
        fault = (variable, place) switch
        {
            (null, _) when !isBuiltIn => $"${name} is no variable of this dashboard",
            ({ IsInterval: false }, Place.Bare) => $"${name} stands outside of a string, where only variables of the kind interval may: a value must not change the query",
            ({ IsInterval: false }, Place.OtherString) => $"${name} stands in a string that is no matcher's: put it behind =, !=, =~ or !~",
            ({ IsMany: true }, Place.Text) when name != repeated => $"${name} may have several values (multi or all): compare with =~ or !~",
            ({ IsInterval: false }, _) when quote == '`' => $"${name} stands in backquotes, which have no escapes: use double quotes",
            _ => null,
        };
        filled.Append(place == Place.Pattern ? Escaped(Pattern(value), quote) : place == Place.Text ? Escaped(value, quote) : value);
        at = end;
    }

    private static string Pattern(string value)
    {
        var pattern = new StringBuilder(value.Length);
        foreach (var each in value)
        {
            pattern.Append(@"\.+*?()|[]{}^$".Contains(each, StringComparison.Ordinal) ? "\\" : "").Append(each);
        }

        return pattern.ToString();
    }

    private static string Escaped(string value, char quote) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(quote.ToString(), "\\" + quote, StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
