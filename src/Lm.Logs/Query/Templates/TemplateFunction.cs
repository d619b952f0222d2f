namespace Lm.Logs.Query.Templates;

/// <summary>A function that templates may call.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ArgumentsMin">How many arguments at least.</param>
/// <param name="ArgumentsMax">How many at most.</param>
/// <param name="Call">What it does.</param>
internal sealed record TemplateFunction(string Name, int ArgumentsMin, int ArgumentsMax, Func<TemplateValue[], TemplateRun, TemplateValue> Call)
{
    /// <summary>How many arguments, in words.</summary>
    public string Arguments => ArgumentsMin == ArgumentsMax ? $"{ArgumentsMin} arguments" : $"{ArgumentsMin} to {ArgumentsMax} arguments";
}
