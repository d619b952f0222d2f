using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using Lm.Platform;

namespace Lm.Logs.Query.Pipeline;

/// <summary><c>| regexp "…"</c>: what groups with a name caught becomes labels.</summary>
internal sealed class RegexpStep : ILineStep
{
    private readonly SearchRegex.Matcher matcher;
    private readonly (int Number, string Name)[] groups;

    public RegexpStep(RegexpStage stage)
    {
        matcher = MatchesStep.MatcherOf(stage.Expression);
        var names = SearchRegex.TryParse(stage.Expression, out var parsed, out _) ? parsed!.GroupNames : [];
        groups = [.. names.Select((name, i) => (i + 1, name)).Where(group => group.name.Length > 0)];
    }

    public bool Apply(ref ReadOnlySpan<byte> line, LineContext context)
    {
        if (matcher.Find(line, context.Characters) is not { } match)
        {
            return true;
        }

        foreach (var (number, name) in groups)
        {
            Group group = match.Groups[number];
            if (group.Success)
            {
                context.Labels.TryExtract(name, Encoding.UTF8.GetBytes(group.Value));
            }
        }

        return true;
    }
}

/// <summary><c>| pattern "…"</c>: what stands in gaps with a name becomes labels.</summary>
internal sealed class PatternStep : ILineStep
{
    private readonly LinePattern pattern;
    private readonly LinePattern.CutHandler take;
    private LineContext? current;

    public PatternStep(PatternStage stage)
    {
        pattern = LinePattern.TryParse(stage.Pattern, isFilter: false, out var parsed, out var fault) ? parsed! : throw new ArgumentException(fault, nameof(stage));
        take = (name, value) => current!.Labels.TryExtract(name, value);
    }

    public bool Apply(ref ReadOnlySpan<byte> line, LineContext context)
    {
        current = context;
        pattern.Cut(line, take);
        return true;
    }
}

/// <summary><c>| decolorize</c>: a line without the escape sequences that colour terminals.</summary>
internal sealed class DecolorizeStep : ILineStep
{
    private static readonly SearchValues<byte> Parameters = SearchValues.Create("0123456789;:"u8);

    private byte[] plain = new byte[1024];

    public bool Apply(ref ReadOnlySpan<byte> line, LineContext context)
    {
        if (!line.Contains((byte)'\x1b'))
        {
            return true;
        }

        if (plain.Length < line.Length)
        {
            plain = new byte[line.Length];
        }

        var length = 0;
        var rest = line;
        while (!rest.IsEmpty)
        {
            var start = rest.IndexOf((byte)'\x1b');
            start = start < 0 ? rest.Length : start;
            rest[..start].CopyTo(plain.AsSpan(length));
            length += start;
            rest = rest[start..];
            var sequence = SequenceLength(rest);
            if (sequence == 0 && !rest.IsEmpty)
            {
                plain[length++] = rest[0];
                sequence = 1;
            }

            rest = rest[sequence..];
        }

        line = context.Replace(plain.AsSpan(0, length));
        return true;
    }

    // ESC [ parameters m. Source: ECMA-48, 8.3.117.
    private static int SequenceLength(ReadOnlySpan<byte> text)
    {
        if (text.Length < 3 || text[1] != '[')
        {
            return 0;
        }

        var end = text[2..].IndexOfAnyExcept(Parameters);
        return end >= 0 && text[2 + end] == 'm' ? end + 3 : 0;
    }
}
