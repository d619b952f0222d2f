namespace Lm.Logs.Query.Templates;

/// <summary>A template of <c>line_format</c> or <c>label_format</c>: Go's text/template without templates in templates.</summary>
/// <remarks>Source: https://pkg.go.dev/text/template. Texts, <c>{{.label}}</c>, function calls, pipes, parentheses, <c>if</c>, <c>with</c>, <c>range</c>,
/// <c>break</c>, <c>continue</c>, variables, trimming with <c>{{-</c> and <c>-}}</c>, comments. Not there: <c>define</c>, <c>template</c>, <c>block</c>.</remarks>
internal sealed class Template
{
    private Template(IReadOnlyList<TemplateNode> nodes, IReadOnlySet<string> labels, int variables)
    {
        Nodes = nodes;
        Labels = labels;
        Variables = variables;
    }

    /// <summary>Its pieces.</summary>
    public IReadOnlyList<TemplateNode> Nodes { get; }

    /// <summary>The labels that it asks for.</summary>
    public IReadOnlySet<string> Labels { get; }

    /// <summary>How many variables it has.</summary>
    public int Variables { get; }

    /// <summary>Reads a template.</summary>
    public static bool TryParse(string text, out Template? template, out string fault)
    {
        template = null;
        fault = "";
        try
        {
            var parser = new TemplateParser(text);
            var nodes = parser.Read();
            template = new Template(nodes, parser.Labels, parser.Variables);
        }
        catch (LogSyntaxException exception)
        {
            fault = $"template, character {exception.At + 1}: {exception.Message}";
        }

        return template is not null;
    }
}

/// <summary>A piece of a template.</summary>
internal abstract record TemplateNode;

/// <summary>Text as it is.</summary>
internal sealed record TextNode(string Text) : TemplateNode;

/// <summary>What a pipe gives; set to a variable it prints nothing.</summary>
internal sealed record ActionNode(TemplatePipe Pipe, int? Variable) : TemplateNode;

/// <summary>The first branch that holds; one without a condition always does.</summary>
internal sealed record IfNode(IReadOnlyList<TemplateBranch> Branches) : TemplateNode;

/// <summary>A branch; with <c>with</c> what its condition gives is the dot.</summary>
internal sealed record TemplateBranch(TemplatePipe? Condition, int? Variable, bool SetsDot, IReadOnlyList<TemplateNode> Nodes);

/// <summary>For each element or member: it is the dot.</summary>
internal sealed record RangeNode(TemplatePipe Pipe, int? Key, int? Element, IReadOnlyList<TemplateNode> Nodes, IReadOnlyList<TemplateNode> Otherwise) : TemplateNode;

/// <summary><c>break</c> or <c>continue</c>.</summary>
internal sealed record LeaveNode(bool IsBreak) : TemplateNode;

/// <summary>Calls, each with the one before as its last argument.</summary>
internal sealed record TemplatePipe(IReadOnlyList<TemplateCall> Calls);

/// <summary>A function with arguments, or a single value.</summary>
internal sealed record TemplateCall(TemplateFunction? Function, IReadOnlyList<TemplateOperand> Operands);

/// <summary>A value in a call.</summary>
internal abstract record TemplateOperand;

/// <summary>A constant.</summary>
internal sealed record ConstantOperand(TemplateValue Value) : TemplateOperand;

/// <summary>A label.</summary>
internal sealed record LabelOperand(string Name) : TemplateOperand;

/// <summary>The dot within <c>with</c> and <c>range</c>.</summary>
internal sealed record DotOperand : TemplateOperand;

/// <summary>A variable.</summary>
internal sealed record VariableOperand(int Index) : TemplateOperand;

/// <summary>A member of what an operand gives.</summary>
internal sealed record MemberOperand(TemplateOperand Of, string Name) : TemplateOperand;

/// <summary>What a pipe in parentheses gives.</summary>
internal sealed record PipeOperand(TemplatePipe Pipe) : TemplateOperand;
