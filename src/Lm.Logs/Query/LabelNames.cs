namespace Lm.Logs.Query;

/// <summary>Names of labels: letters, digits and <c>_</c>, no digit first.</summary>
internal static class LabelNames
{
    /// <summary>The label that tells that a line could not be parsed, and how.</summary>
    public const string Error = "__error__";

    /// <summary>The label that tells more of it.</summary>
    public const string ErrorDetails = "__error_details__";

    /// <summary>What a label that was found in a line gets behind its name when the stream has one of that name.</summary>
    public const string ExtractedSuffix = "_extracted";

    /// <summary>Whether a name can stand in a query.</summary>
    public static bool IsValid(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
