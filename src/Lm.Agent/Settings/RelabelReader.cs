using System.Text;
using Lm.Agent.Exposition;
using Lm.Agent.Gathering;
using Lm.Platform;
using Lm.Toml;

namespace Lm.Agent.Settings;

/// <summary>Reads <c>relabel</c>, an array of tables in a scrape or plug-in.</summary>
internal static class RelabelReader
{
    private const int RulesMax = 64;
    private const int SourcesMax = 16;

    public static List<RelabelRule> ReadAll(TomlTable owner)
    {
        var tables = owner.ReadTables("relabel");
        if (tables.Count > RulesMax)
        {
            owner.Fault("relabel", $"relabel has {tables.Count} rules; allowed are {RulesMax}");
        }

        return [.. tables.Select(Read).OfType<RelabelRule>()];
    }

    private static RelabelRule? Read(TomlTable table)
    {
        var action = table.ReadChoice("action", "replace", "replace", "keep", "drop", "labeldrop") switch
        {
            "keep" => RelabelAction.Keep,
            "drop" => RelabelAction.Drop,
            "labeldrop" => RelabelAction.LabelDrop,
            _ => RelabelAction.Replace,
        };
        var sources = table.ReadStrings("source_labels");
        var text = table.ReadString("regex", "(.*)");
        var target = table.ReadString("target_label", "");
        var replacement = table.ReadString("replacement", "$1");
        if (sources.Count > SourcesMax || sources.Any(source => !IsLabelName(source)))
        {
            table.Fault("source_labels", $"source_labels has a name that is none, or more than {SourcesMax} of them; label names, or __name__ for the metric's name, are expected");
        }

        if (sources.Count == 0 && action is RelabelAction.Keep or RelabelAction.Drop)
        {
            table.Fault("source_labels", "source_labels is missing: keep and drop compare the values of labels");
        }

        if (action == RelabelAction.Replace ? !IsLabelName(target) || (target.StartsWith("__", StringComparison.Ordinal) && target != "__name__") : target.Length > 0)
        {
            table.Fault("target_label", action == RelabelAction.Replace
                ? $"target_label is {AgentSettingsReader.Show(target)}; replace needs the name of a label, or __name__"
                : "target_label is for replace alone");
        }

        if (AnchoredRegex.TryParse(text, out var pattern, out var fault))
        {
            return new RelabelRule(action, sources, pattern!, target, replacement);
        }

        table.Fault("regex", $"regex is {AgentSettingsReader.Show(text)}: {fault}");
        return null;
    }

    private static bool IsLabelName(string name) => ExpositionLine.IsName(Encoding.UTF8.GetBytes(name)) && !name.Contains(':');
}
