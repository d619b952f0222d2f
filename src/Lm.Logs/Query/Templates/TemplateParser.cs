using System.Text;

namespace Lm.Logs.Query.Templates;

/// <summary>Text → pieces of a template.</summary>
internal sealed class TemplateParser(string text)
{
    private const int PartsMax = 512;
    private static readonly string[] LeftOut = ["range", "with", "template", "define", "block", "break", "continue"];

    private readonly HashSet<string> labels = new(StringComparer.Ordinal);
    private int at;
    private int parts;
    private bool trimsNext;

    /// <summary>The labels that are asked for.</summary>
    public IReadOnlySet<string> Labels => labels;

    /// <summary>Reads all of it.</summary>
    public List<TemplateNode> Read()
    {
        var nodes = ReadNodes(out var end);
        return end.Length == 0 ? nodes : throw Fault($"{{{{{end}}}}} without an {{{{if}}}} before it");
    }

    // Until the text ends, or else or end comes: then that word is given, and what follows it is not read yet.
    private List<TemplateNode> ReadNodes(out string end)
    {
        var nodes = new List<TemplateNode>();
        end = "";
        while (at < text.Length)
        {
            ReadText(nodes);
            if (at == text.Length)
            {
                break;
            }

            var word = PeekWord();
            if (word is "else" or "end")
            {
                at += word.Length;
                end = word;
                return nodes;
            }

            ReadAction(nodes, word);
        }

        return nodes;
    }

    private void ReadAction(List<TemplateNode> nodes, string word)
    {
        if (text.AsSpan(at).StartsWith("/*"))
        {
            var close = text.IndexOf("*/", at, StringComparison.Ordinal);
            at = close < 0 ? throw Fault("the comment has no */") : close + 2;
            Close();
            return;
        }

        if (LeftOut.Contains(word, StringComparer.Ordinal))
        {
            throw Fault($"{word} is not there; if, else and end are");
        }

        if (word == "if")
        {
            at += 2;
            nodes.Add(ReadIf());
            return;
        }

        nodes.Add(new ActionNode(ReadPipe()));
        Close();
    }

    private void ReadText(List<TemplateNode> nodes)
    {
        var open = text.IndexOf("{{", at, StringComparison.Ordinal);
        var end = open < 0 ? text.Length : open;
        var piece = text[at..end];
        piece = trimsNext ? piece.TrimStart() : piece;
        trimsNext = false;
        at = open < 0 ? end : open + 2;
        if (open >= 0 && at + 1 < text.Length && text[at] == '-' && char.IsWhiteSpace(text[at + 1]))
        {
            piece = piece.TrimEnd();
            at++;
        }

        if (piece.Length > 0)
        {
            nodes.Add(new TextNode(piece));
        }

        if (open >= 0)
        {
            SkipBlanks();
            if (at == text.Length)
            {
                throw Fault("{{ has no }}");
            }
        }
    }

    private IfNode ReadIf()
    {
        var branches = new List<(TemplatePipe?, IReadOnlyList<TemplateNode>)>();
        TemplatePipe? condition = ReadPipe();
        Close();
        while (true)
        {
            CountPart();
            var nodes = ReadNodes(out var end);
            branches.Add((condition, nodes));
            if (end.Length == 0)
            {
                throw Fault("an {{if}} has no {{end}}");
            }

            if (end == "end")
            {
                Close();
                return new IfNode(branches);
            }

            if (condition is null)
            {
                throw Fault("there is an {{else}} after the last one; {{end}} is expected");
            }

            SkipBlanks();
            condition = null;
            if (PeekWord() == "if")
            {
                at += 2;
                condition = ReadPipe();
            }

            Close();
        }
    }

    private TemplatePipe ReadPipe()
    {
        CountPart();
        var calls = new List<TemplateCall> { ReadCall(isFirst: true) };
        SkipBlanks();
        while (at < text.Length && text[at] == '|')
        {
            at++;
            calls.Add(ReadCall(isFirst: false));
            SkipBlanks();
        }

        return new TemplatePipe(calls);
    }

    private TemplateCall ReadCall(bool isFirst)
    {
        SkipBlanks();
        var start = at;
        var name = PeekWord();
        TemplateFunction? function = null;
        if (name.Length > 0 && name is not ("true" or "false"))
        {
            function = TemplateFunctions.Find(name)
                ?? throw Fault(LeftOut.Contains(name, StringComparer.Ordinal) ? $"{name} is not there" : $"the function {name} is not there; these are: {TemplateFunctions.Names}");
            at += name.Length;
        }

        var operands = new List<TemplateOperand>();
        SkipBlanks();
        while (at < text.Length && text[at] is not ('|' or ')' or '}') && !StartsTrim())
        {
            CountPart();
            operands.Add(ReadOperand());
            SkipBlanks();
        }

        var count = operands.Count + (isFirst ? 0 : 1);
        if (function is null && (operands.Count != 1 || !isFirst))
        {
            at = start;
            throw Fault(operands.Count == 0 ? "a label as .name, a text in quotes, a number or a function is expected" : "only a function takes arguments, also from a pipe");
        }

        if (function is not null && (count < function.ArgumentsMin || count > function.ArgumentsMax))
        {
            at = start;
            throw Fault($"{name} takes {function.Arguments}, it has {count}");
        }

        return new TemplateCall(function, operands);
    }

    private TemplateOperand ReadOperand()
    {
        switch (text[at])
        {
            case '(':
                at++;
                var pipe = ReadPipe();
                if (at == text.Length || text[at] != ')')
                {
                    throw Fault("')' is expected");
                }

                at++;
                return new PipeOperand(pipe);
            case '.':
                at++;
                return ReadLabel();
            case '"' or '`':
                return new ConstantOperand(new TemplateValue(ReadQuoted()));
            case '$':
                throw Fault("variables are not there");
        }

        var word = PeekWord();
        if (word is "true" or "false")
        {
            at += word.Length;
            return new ConstantOperand(new TemplateValue(word == "true"));
        }

        if (word.Length > 0 && TemplateFunctions.Find(word) is { ArgumentsMin: 0 } function)
        {
            at += word.Length;
            return new PipeOperand(new TemplatePipe([new TemplateCall(function, [])]));
        }

        return ReadNumber();
    }

    private LabelOperand ReadLabel()
    {
        var name = PeekWord();
        if (name.Length == 0)
        {
            throw Fault("a label's name is expected behind the dot; the dot alone, all labels, is not there");
        }

        at += name.Length;
        if (at < text.Length && text[at] == '.')
        {
            throw Fault("labels have no parts: a name is letters, digits and _");
        }

        labels.Add(name);
        return new LabelOperand(name);
    }

    private string ReadQuoted()
    {
        var quote = text[at];
        for (var end = at + 1; end < text.Length; end++)
        {
            if (text[end] == '\\' && quote == '"')
            {
                end++;
            }
            else if (text[end] == quote)
            {
                var isGood = QuotedString.TryUnquote(text.AsSpan(at, end + 1 - at), out var value, out _);
                at = isGood ? end + 1 : throw Fault("an escape in this text is not known");
                return value;
            }
        }

        throw Fault($"the text that begins here has no closing {quote}");
    }

    private ConstantOperand ReadNumber()
    {
        var end = at;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] is '.' or '-' or '+' or '_') && !(end > at && StartsTrimAt(end)))
        {
            end++;
        }

        var number = text[at..end];
        if (!Quantity.TryNumber(Encoding.UTF8.GetBytes(number), out var value) || number.Length == 0 || char.IsAsciiLetter(number[0]))
        {
            throw Fault($"found {(end > at ? number : text.AsSpan(at, Math.Min(8, text.Length - at)).ToString())}, expected a label as .name, a text in quotes, a number or '('");
        }

        at = end;
        var isWhole = number.AsSpan().TrimStart("+-").IndexOfAnyExceptInRange('0', '9') < 0 && Math.Abs(value) < 1e15;
        return new ConstantOperand(isWhole ? new TemplateValue((long)value) : new TemplateValue(value));
    }

    private void Close()
    {
        SkipBlanks();
        if (StartsTrim())
        {
            trimsNext = true;
            at++;
        }

        if (!text.AsSpan(at).StartsWith("}}"))
        {
            throw Fault("}} is expected");
        }

        at += 2;
        if (trimsNext && at == text.Length)
        {
            trimsNext = false;
        }
    }

    private bool StartsTrim() => StartsTrimAt(at);

    private bool StartsTrimAt(int place) => text.AsSpan(place).StartsWith("-}}");

    private string PeekWord()
    {
        var end = at;
        while (end < text.Length && (char.IsAsciiLetter(text[end]) || text[end] == '_' || (end > at && char.IsAsciiDigit(text[end]))))
        {
            end++;
        }

        return text[at..end];
    }

    private void SkipBlanks()
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
        {
            at++;
        }
    }

    private void CountPart()
    {
        if (++parts > PartsMax)
        {
            throw Fault($"there are more than {PartsMax} calls and values; at most {PartsMax} are allowed");
        }
    }

    private LogSyntaxException Fault(string message) => new(Math.Min(at, text.Length), message);
}
