using System.Text;

namespace Lm.Logs.Query.Templates;

/// <summary>Text → pieces of a template.</summary>
internal sealed class TemplateParser(string text)
{
    private const int PartsMax = 512;
    private static readonly string[] LeftOut = ["template", "define", "block"];
    private static readonly string[] Keywords = ["if", "else", "end", "range", "with", "break", "continue", .. LeftOut];

    private readonly HashSet<string> labels = new(StringComparer.Ordinal);
    private readonly List<(string Name, int Index)> variables = []; // those that are known here
    private int at;
    private int parts;
    private bool trimsNext;
    private int dots; // how many with and range stand around this place
    private int ranges;

    /// <summary>How many variables there are.</summary>
    public int Variables { get; private set; }

    /// <summary>The labels that are asked for.</summary>
    public IReadOnlySet<string> Labels => labels;

    /// <summary>Reads all of it.</summary>
    public List<TemplateNode> Read()
    {
        var nodes = ReadNodes(out var end);
        return end.Length == 0 ? nodes : throw Fault($"{{{{{end}}}}} without an {{{{if}}}}, {{{{with}}}} or {{{{range}}}} before it");
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
            throw Fault($"{word} is not there; if, else, end, with, range, break and continue are");
        }

        switch (word)
        {
            case "if":
                at += word.Length;
                nodes.Add(ReadIf(setsDot: false));
                break;
            case "with":
                at += word.Length;
                nodes.Add(ReadIf(setsDot: true));
                break;
            case "range":
                at += word.Length;
                nodes.Add(ReadRange());
                break;
            case "break" or "continue":
                if (ranges == 0)
                {
                    throw Fault($"{word} stands within {{{{range}}}} alone");
                }

                at += word.Length;
                nodes.Add(new LeaveNode(word == "break"));
                Close();
                break;
            default:
                var variable = ReadTarget();
                nodes.Add(new ActionNode(ReadPipe(), variable));
                Close();
                break;
        }
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

    private IfNode ReadIf(bool setsDot)
    {
        var word = setsDot ? "with" : "if";
        var known = variables.Count;
        var branches = new List<TemplateBranch>();
        var variable = ReadTarget();
        TemplatePipe? condition = ReadPipe();
        Close();
        while (true)
        {
            CountPart();
            var setsHere = setsDot && condition is not null;
            var nodes = ReadBody(setsHere, isRange: false, out var end);
            branches.Add(new TemplateBranch(condition, variable, setsHere, nodes));
            if (end.Length == 0)
            {
                throw Fault($"an {{{{{word}}}}} has no {{{{end}}}}");
            }

            if (end == "end")
            {
                Close();
                variables.RemoveRange(known, variables.Count - known);
                return new IfNode(branches);
            }

            if (condition is null)
            {
                throw Fault("there is an {{else}} after the last one; {{end}} is expected");
            }

            SkipBlanks();
            (condition, variable) = (null, null);
            if (PeekWord() == word)
            {
                at += word.Length;
                variable = ReadTarget();
                condition = ReadPipe();
            }

            Close();
        }
    }

    private RangeNode ReadRange()
    {
        CountPart();
        var known = variables.Count;
        var first = ReadName();
        int? key = null;
        int? element = null;
        if (first is not null)
        {
            SkipBlanks();
            string? second = null;
            if (at < text.Length && text[at] == ',')
            {
                at++;
                SkipBlanks();
                second = ReadName() ?? throw Fault("a second variable as $value is expected");
            }

            ExpectAssignment();
            key = second is null ? null : Declare(first);
            element = Declare(second ?? first);
        }

        var pipe = ReadPipe();
        Close();
        var nodes = ReadBody(setsDot: true, isRange: true, out var end);
        List<TemplateNode> otherwise = [];
        if (end == "else")
        {
            Close();
            otherwise = ReadBody(setsDot: false, isRange: false, out end);
        }

        if (end != "end")
        {
            throw Fault("a {{range}} has no {{end}}");
        }

        Close();
        variables.RemoveRange(known, variables.Count - known);
        return new RangeNode(pipe, key, element, nodes, otherwise);
    }

    private List<TemplateNode> ReadBody(bool setsDot, bool isRange, out string end)
    {
        var known = variables.Count;
        dots += setsDot ? 1 : 0;
        ranges += isRange ? 1 : 0;
        var nodes = ReadNodes(out end);
        dots -= setsDot ? 1 : 0;
        ranges -= isRange ? 1 : 0;
        variables.RemoveRange(known, variables.Count - known);
        return nodes;
    }

    // "$x := " or "$x = " before a pipe; null when there is none.
    private int? ReadTarget()
    {
        SkipBlanks();
        var start = at;
        if (ReadName() is not { } name)
        {
            return null;
        }

        SkipBlanks();
        if (text.AsSpan(at).StartsWith(":="))
        {
            at += 2;
            return Declare(name);
        }

        if (at < text.Length && text[at] == '=')
        {
            at++;
            return Find(name, start);
        }

        at = start; // it only begins with a variable
        return null;
    }

    private void ExpectAssignment()
    {
        SkipBlanks();
        if (!text.AsSpan(at).StartsWith(":="))
        {
            throw Fault(":= is expected behind the variables of range");
        }

        at += 2;
    }

    // "$name"; null when none stands here.
    private string? ReadName()
    {
        SkipBlanks();
        if (at >= text.Length || text[at] != '$')
        {
            return null;
        }

        at++;
        var name = PeekWord();
        at += name.Length;
        return name;
    }

    private int Declare(string name)
    {
        if (name.Length == 0)
        {
            throw Fault("a variable's name is expected behind the $");
        }

        CountPart();
        variables.Add((name, Variables));
        return Variables++;
    }

    private int Find(string name, int start)
    {
        var found = variables.FindLastIndex(variable => variable.Name == name);
        if (found >= 0)
        {
            return variables[found].Index;
        }

        at = start;
        throw Fault($"the variable ${name} is not known here");
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
        if (name.Length > 0 && name is not ("true" or "false" or "nil"))
        {
            function = TemplateFunctions.Find(name)
                ?? throw Fault(Keywords.Contains(name, StringComparer.Ordinal) ? $"{name} does not belong here" : $"the function {name} is not there; these are: {TemplateFunctions.Names}");
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
        var operand = ReadPlainOperand();
        while (at < text.Length && text[at] == '.' && operand is not ConstantOperand)
        {
            at++;
            operand = new MemberOperand(operand, ReadMemberName());
        }

        return operand;
    }

    private TemplateOperand ReadPlainOperand()
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
                return dots > 0 ? ReadDot() : ReadLabel();
            case '$':
                return ReadVariable();
            case '"' or '`':
                return new ConstantOperand(new TemplateValue(ReadQuoted()));
        }

        var word = PeekWord();
        if (word is "true" or "false" or "nil")
        {
            at += word.Length;
            return new ConstantOperand(word == "nil" ? TemplateValue.Nothing : new TemplateValue(word == "true"));
        }

        if (word.Length > 0 && TemplateFunctions.Find(word) is { ArgumentsMin: 0 } function)
        {
            at += word.Length;
            return new PipeOperand(new TemplatePipe([new TemplateCall(function, [])]));
        }

        return ReadNumber();
    }

    // Labels are what a template is filled with; within with and range the dot is something else, and $ still they.
    private TemplateOperand ReadVariable()
    {
        var start = at;
        var name = ReadName()!;
        if (name.Length > 0)
        {
            return new VariableOperand(Find(name, start));
        }

        if (at == text.Length || text[at] != '.')
        {
            throw Fault("a label as $.name or a variable as $name is expected; the $ alone, all labels, is not there");
        }

        at++;
        return ReadLabel();
    }

    private TemplateOperand ReadDot()
    {
        var name = PeekWord();
        if (name.Length == 0)
        {
            return new DotOperand();
        }

        at += name.Length;
        return new MemberOperand(new DotOperand(), name);
    }

    private string ReadMemberName()
    {
        var name = PeekWord();
        at += name.Length;
        return name.Length > 0 ? name : throw Fault("a member's name is expected behind the dot");
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
