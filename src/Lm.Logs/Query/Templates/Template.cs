namespace Lm.Logs.Query.Templates;

/// <summary>A template of <c>line_format</c> or <c>label_format</c>: the useful part of Go's text/template.</summary>
/// <remarks>Source: https://pkg.go.dev/text/template. Texts, <c>{{.label}}</c>, function calls, pipes, parentheses, <c>if</c>/<c>else if</c>/<c>else</c>/<c>end</c>,
/// trimming with <c>{{-</c> and <c>-}}</c>, comments. Not there: variables, <c>range</c>, <c>with</c>, <c>define</c>.</remarks>
internal sealed class Template
{
    private Template(IReadOnlyList<TemplateNode> nodes, IReadOnlySet<string> labels)
    {
        Nodes = nodes;
        Labels = labels;
    }

    /// <summary>Its pieces.</summary>
    public IReadOnlyList<TemplateNode> Nodes { get; }

    /// <summary>The labels that it asks for.</summary>
    public IReadOnlySet<string> Labels { get; }

    /// <summary>Reads a template.</summary>
    public static bool TryParse(string text, out Template? template, out string fault)
    {
        template = null;
        fault = "";
        try
        {
            var parser = new TemplateParser(text);
            var nodes = parser.Read();
            template = new Template(nodes, parser.Labels);
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

/// <summary>What a pipe gives.</summary>
internal sealed record ActionNode(TemplatePipe Pipe) : TemplateNode;

/// <summary>The first branch that holds; one without a condition always does.</summary>
internal sealed record IfNode(IReadOnlyList<(TemplatePipe? Condition, IReadOnlyList<TemplateNode> Nodes)> Branches) : TemplateNode;

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

/// <summary>What a pipe in parentheses gives.</summary>
internal sealed record PipeOperand(TemplatePipe Pipe) : TemplateOperand;
