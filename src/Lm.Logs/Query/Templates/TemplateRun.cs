using System.Text;
using System.Text.RegularExpressions;
using Lm.Logs.Query.Pipeline;
using Lm.Platform;

namespace Lm.Logs.Query.Templates;

/// <summary>Fills one template, line after line. For one thread at a time.</summary>
internal sealed class TemplateRun
{
    /// <summary>The error of lines whose labels do not fit.</summary>
    public const string Error = "TemplateFormatErr";

    private const int ExpressionsMax = 64;

    // Pieces that are filled for one line: ranges may stand in ranges.
    private const int StepsMax = 100_000;

    private readonly Template template;
    private readonly StringBuilder output = new();
    private readonly Dictionary<string, SearchRegex.Matcher> expressions = new(StringComparer.Ordinal);
    private LineContext? context;
    private string? lineText;
    private byte[] line = new byte[1024];
    private int lineLength;
    private int steps;
    private TemplateValue dot;
    private readonly TemplateValue[] variables;

    private TemplateRun(Template template) => (this.template, variables) = (template, new TemplateValue[template.Variables]);

    /// <summary>When the line is from, milliseconds.</summary>
    public long Time => context!.Time;

    /// <summary>The line.</summary>
    public string Line => lineText ??= Encoding.UTF8.GetString(line.AsSpan(0, lineLength));

    /// <summary>Of a template that the parser has checked.</summary>
    public static TemplateRun Of(string text) =>
        Template.TryParse(text, out var template, out var fault) ? new TemplateRun(template!) : throw new ArgumentException(fault, nameof(text));

    /// <summary>Fills it.</summary>
    /// <param name="source">The line.</param>
    /// <param name="labels">Its labels.</param>
    /// <param name="text">What it became; empty when false.</param>
    /// <param name="fault">Then: why not.</param>
    public bool TryRun(ReadOnlySpan<byte> source, LineContext labels, out string text, out string fault)
    {
        (context, lineText, lineLength) = (labels, null, source.Length);
        if (line.Length < source.Length)
        {
            line = new byte[source.Length];
        }

        source.CopyTo(line);
        output.Clear();
        (steps, dot) = (0, TemplateValue.Nothing);
        try
        {
            Write(template.Nodes);
            (text, fault) = (output.ToString(), "");
            return true;
        }
        catch (TemplateException exception)
        {
            fault = exception.Message;
        }
        catch (RegexMatchTimeoutException)
        {
            fault = "a regular expression takes longer than a second";
        }

        text = "";
        return false;
    }

    /// <summary>An expression of the template, ready to be used.</summary>
    public SearchRegex.Matcher Expression(string pattern)
    {
        if (expressions.TryGetValue(pattern, out var found))
        {
            return found;
        }

        if (!SearchRegex.TryParse(pattern, out var parsed, out var fault))
        {
            throw new TemplateException(fault);
        }

        if (expressions.Count == ExpressionsMax)
        {
            expressions.Clear();
        }

        return expressions[pattern] = parsed!.CreateMatcher();
    }

    // Gives how the nodes were left before their end.
    private Leave Write(IReadOnlyList<TemplateNode> nodes)
    {
        foreach (var node in nodes)
        {
            if (++steps > StepsMax)
            {
                throw new TemplateException($"filling the template takes more than {StepsMax} steps");
            }

            var leave = Leave.No;
            switch (node)
            {
                case TextNode text:
                    output.Append(text.Text);
                    break;
                case ActionNode action:
                    Write(action);
                    break;
                case IfNode choice:
                    leave = WriteBranch(choice);
                    break;
                case RangeNode range:
                    WriteRange(range);
                    break;
                case LeaveNode left:
                    return left.IsBreak ? Leave.Break : Leave.Continue;
            }

            // What only passes the line on is none the worse for a long one.
            var lengthMax = Math.Max(LineContext.MadeBytesMax / 3, lineLength);
            if (output.Length > lengthMax)
            {
                throw new TemplateException($"the text becomes longer than {lengthMax} characters");
            }

            if (leave != Leave.No)
            {
                return leave;
            }
        }

        return Leave.No;
    }

    private void Write(ActionNode action)
    {
        var value = Evaluate(action.Pipe);
        if (action.Variable is { } variable)
        {
            variables[variable] = value;
        }
        else
        {
            output.Append(value.ToString());
        }
    }

    private Leave WriteBranch(IfNode choice)
    {
        foreach (var branch in choice.Branches)
        {
            if (branch.Condition is null)
            {
                return Write(branch.Nodes);
            }

            var value = Evaluate(branch.Condition);
            if (branch.Variable is { } variable)
            {
                variables[variable] = value;
            }

            if (value.IsTrue)
            {
                return branch.SetsDot ? WriteWith(branch.Nodes, value) : Write(branch.Nodes);
            }
        }

        return Leave.No;
    }

    private Leave WriteWith(IReadOnlyList<TemplateNode> nodes, TemplateValue value)
    {
        var before = dot;
        dot = value;
        var leave = Write(nodes);
        dot = before;
        return leave;
    }

    private void WriteRange(RangeNode range)
    {
        var isEmpty = true;
        foreach (var (key, element) in AllOf(Evaluate(range.Pipe)))
        {
            isEmpty = false;
            Set(range.Key, key);
            Set(range.Element, element);
            if (WriteWith(range.Nodes, element) == Leave.Break)
            {
                break;
            }
        }

        if (isEmpty)
        {
            Write(range.Otherwise);
        }
    }

    private static IEnumerable<(TemplateValue Key, TemplateValue Element)> AllOf(TemplateValue over)
    {
        if (over.Elements is { } elements)
        {
            return elements.Select(static (element, i) => (new TemplateValue((long)i), element));
        }

        if (over.Members is { } members)
        {
            return members.Select(static member => (new TemplateValue(member.Key), member.Value));
        }

        if (over != TemplateValue.Nothing)
        {
            throw new TemplateException("range goes over the elements of an array or the members of an object, as fromJson gives them");
        }

        return [];
    }

    private void Set(int? variable, TemplateValue value)
    {
        if (variable is { } index)
        {
            variables[index] = value;
        }
    }

    private TemplateValue Evaluate(TemplatePipe pipe)
    {
        TemplateValue? last = null;
        foreach (var call in pipe.Calls)
        {
            if (call.Function is null)
            {
                last = Evaluate(call.Operands[0]);
                continue;
            }

            var arguments = new TemplateValue[call.Operands.Count + (last is null ? 0 : 1)];
            for (var i = 0; i < call.Operands.Count; i++)
            {
                arguments[i] = Evaluate(call.Operands[i]);
            }

            if (last is { } piped)
            {
                arguments[^1] = piped;
            }

            last = call.Function.Call(arguments, this);
        }

        return last!.Value;
    }

    private TemplateValue Evaluate(TemplateOperand operand) => operand switch
    {
        ConstantOperand constant => constant.Value,
        LabelOperand label => new TemplateValue(Encoding.UTF8.GetString(context!.Labels.ValueOf(label.Name))),
        PipeOperand inner => Evaluate(inner.Pipe),
        DotOperand => dot,
        VariableOperand variable => variables[variable.Index],
        MemberOperand member => Evaluate(member.Of).Member(member.Name),
        _ => throw new ArgumentOutOfRangeException(nameof(operand)),
    };

    // How a range's body ended.
    private enum Leave
    {
        No,
        Continue,
        Break,
    }
}
