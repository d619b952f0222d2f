namespace Lm.Logs.Query;

/// <summary>The label <c>detected_level</c>: what Loki's clients know a line's severity by.</summary>
/// <remarks>Made of the stream's <c>severity</c>, not stored. Queries may ask for it by name; it is no label of a series and none of a line unless it is asked for.</remarks>
internal static class DetectedLevel
{
    /// <summary>Its name.</summary>
    public const string Label = "detected_level";

    /// <summary>Its value for lines of a stream: the severity without its step (<c>info2</c> is <c>info</c>); empty where none is known.</summary>
    public static string Of(LogStream stream) => stream[LogStream.SeverityLabel].TrimEnd('2', '3', '4');

    /// <summary>Whether a metric query names it where series are told apart: then all its series have it.</summary>
    public static bool IsNamedBy(Expression expression) => expression switch
    {
        RangeAggregation range => Has(range.Grouping?.Names),
        VectorAggregation aggregation => Has(aggregation.Grouping?.Names) || IsNamedBy(aggregation.Inner),
        LabelReplace replace => replace.Source == Label || IsNamedBy(replace.Inner),
        Binary binary => Has(binary.Matching?.Names) || Has(binary.Matching?.Include) || IsNamedBy(binary.Left) || IsNamedBy(binary.Right),
        _ => false,
    };

    private static bool Has(EquatableList<string>? names) => names?.Contains(Label) ?? false;
}
