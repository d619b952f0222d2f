using System.Globalization;

namespace Lm.LoadDriver;

/// <summary>A command line of <c>--name value</c> pairs and lone <c>--flags</c>.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, string> values = [];
    private readonly HashSet<string> unread = [];

    public Arguments(ReadOnlySpan<string> words)
    {
        for (var i = 0; i < words.Length; i++)
        {
            if (!words[i].StartsWith("--", StringComparison.Ordinal))
            {
                throw new UsageException($"{words[i]}: expected an option that begins with --");
            }

            var name = words[i][2..];
            var hasValue = i + 1 < words.Length && !words[i + 1].StartsWith("--", StringComparison.Ordinal);
            values[name] = hasValue ? words[++i] : "";
            unread.Add(name);
        }
    }

    public string Text(string name, string missing)
    {
        unread.Remove(name);
        return values.GetValueOrDefault(name, missing);
    }

    public string Required(string name)
    {
        var text = Text(name, "");
        return text.Length > 0 ? text : throw new UsageException($"--{name} is missing");
    }

    public bool Flag(string name)
    {
        unread.Remove(name);
        return values.ContainsKey(name);
    }

    public int Number(string name, int missing, int min, int max)
    {
        var text = Text(name, missing.ToString(CultureInfo.InvariantCulture));
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw new UsageException($"--{name} {text}: a whole number from {min} to {max} is allowed");
    }

    /// <summary>Refuses an option that nothing asked for: a mistyped one must not pass as its default.</summary>
    public void RefuseUnread()
    {
        if (unread.Count > 0)
        {
            throw new UsageException($"unknown option --{unread.First()}");
        }
    }
}

/// <summary>A command line that cannot be followed.</summary>
internal sealed class UsageException(string message) : Exception(message);
