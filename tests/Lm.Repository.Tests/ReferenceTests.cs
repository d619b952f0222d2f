using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Lm.Repository.Tests;

public sealed partial class ReferenceTests
{
    // What each project may use; a lower one never knows an upper one.
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Lm.Platform"] = [],
        ["Lm.Toml"] = [],
        ["Lm.Protocol"] = ["Lm.Platform"],
        ["Lm.Journal"] = ["Lm.Platform"],
        ["Lm.Tsdb"] = ["Lm.Platform"],
        ["Lm.PromQL"] = ["Lm.Platform", "Lm.Tsdb"],
        ["Lm.Logs"] = ["Lm.Platform"],
        ["Lm.ObjectStore"] = ["Lm.Platform"],
        ["Lm.Agent"] = ["Lm.Platform", "Lm.Toml", "Lm.Protocol", "Lm.Journal"],
        ["Lm.Collector"] = ["Lm.Platform", "Lm.Toml", "Lm.Protocol", "Lm.Journal", "Lm.Tsdb", "Lm.PromQL", "Lm.Logs", "Lm.ObjectStore"],
    };

    // Slices of the programs that must not know each other: who, whom, why.
    private static readonly (string Slice, string Forbidden, string Reason)[] Slices =
    [
        ("src/Lm.Agent/HostMetrics/", "Lm.Agent.Queue", "a source gives samples and knows nothing of where they go"),
        ("src/Lm.Agent/HostMetrics/", "Lm.Agent.Upload", "a source gives samples and knows nothing of where they go"),
        ("src/Lm.Agent/HostMetrics/", "Lm.Agent.Batching", "a source gives samples and knows nothing of where they go"),
        ("src/Lm.Agent/Queue/", "Lm.Agent.Upload", "the uploader reads the queue, not the other way round"),
        ("src/Lm.Agent/Queue/", "Lm.Agent.Batching", "batches are put into the queue, not taken by it"),
        ("src/Lm.Agent/Queue/", "Lm.Agent.HostMetrics", "the queue holds batches of whatever kind"),
        ("src/Lm.Agent/HostMetrics/", "Lm.Agent.Events", "a source says what it saw, not what is told of it"),
        ("src/Lm.Agent/LogTail/", "Lm.Agent.Events", "the tail loop takes records from whatever source there is"),
        ("src/Lm.Agent/LogTail/", "Lm.Agent.SystemdJournal", "the tail loop takes records from whatever source there is"),
        ("src/Lm.Agent/SystemdJournal/", "Lm.Agent.Events", "what an input lacks is told by whoever made it"),
        ("src/Lm.Agent/HostMetrics/", "Lm.Agent.Gathering", "host sources know nothing of what comes from outside the agent"),
        ("src/Lm.Agent/HostMetrics/", "Lm.Agent.Containers", "what a runtime says comes through an interface of the host sources' own"),
        ("src/Lm.Agent/Queue/", "Lm.Agent.Gathering", "the queue holds batches of whatever kind"),
        ("src/Lm.Agent/Upload/", "Lm.Agent.Gathering", "the uploader sends what is queued"),
        ("src/Lm.Agent/Exposition/", "Lm.Agent.Gathering", "the text format knows nothing of where it comes from"),
        ("src/Lm.Agent/Upload/", "Lm.Agent.HostMetrics", "the uploader sends what is queued"),
        ("src/Lm.Agent/Upload/", "Lm.Agent.Batching", "the uploader sends what is queued"),
        ("src/Lm.Collector/Ingest/", "Lm.Collector.Series", "ingest ends at the spool; what reads the spool is not its business"),
        ("src/Lm.Collector/Ingest/", "Lm.Collector.Query", "the ingest listener serves no query"),
        ("src/Lm.Collector/Ingest/", "Lm.Collector.Console", "the ingest listener serves no console"),
        ("src/Lm.Collector/Spool/", "Lm.Collector.Series", "the spool hands batches on and knows no consumer"),
        ("src/Lm.Collector/Spool/", "Lm.Collector.Query", "the spool hands batches on and knows no consumer"),
        ("src/Lm.Collector/Series/", "Lm.Collector.Query", "queries read the store, not the other way round"),
        ("src/Lm.Collector/Series/", "Lm.Collector.Console", "queries read the store, not the other way round"),
    ];

    [Fact]
    public void Projects_reference_only_what_lies_below_them()
    {
        var findings = new List<string>();
        foreach (var path in Checkout.Under("src/", ".csproj"))
        {
            var project = Path.GetFileNameWithoutExtension(path);
            if (!Allowed.TryGetValue(project, out var allowed))
            {
                findings.Add($"{path}: a project that this rule does not know; say in {nameof(ReferenceTests)} what it may use");
                continue;
            }

            var references = XDocument.Parse(Checkout.Read(path)).Descendants("ProjectReference")
                .Select(reference => Path.GetFileNameWithoutExtension((string)reference.Attribute("Include")!));
            findings.AddRange(references.Where(name => !allowed.Contains(name)).Select(name => $"{path}: {name}"));
        }

        Checkout.AssertNone(findings, "References that point the wrong way:");
    }

    [Fact]
    public void Slices_use_only_what_they_may()
    {
        var findings =
            from rule in Slices
            from path in Checkout.Under(rule.Slice, ".cs")
            let uses = Regex.IsMatch(Checkout.Read(path), $@"^\s*(global )?using (static )?{Regex.Escape(rule.Forbidden)}\b", RegexOptions.Multiline)
            where uses
            select $"{path} uses {rule.Forbidden}: {rule.Reason}";

        Checkout.AssertNone(findings, "Slices that know too much:");
    }

    [Fact]
    public void Namespaces_are_the_folders()
    {
        var findings =
            from path in Checkout.Under("src/", ".cs")
            let found = Namespace().Match(Checkout.Read(path))
            where found.Success
            let expected = Path.GetDirectoryName(path)!["src/".Length..].Replace('/', '.')
            where found.Groups[1].Value != expected
            select $"{path}: {found.Groups[1].Value}, expected {expected}";

        Checkout.AssertNone(findings, "Namespaces that are not their folder's path:");
    }

    [Fact]
    public void Nothing_but_Lm_Platform_syncs_files()
    {
        var findings =
            from path in Checkout.Under("src/", ".cs")
            where !path.StartsWith("src/Lm.Platform/", StringComparison.Ordinal)
            where SyncCall().IsMatch(Checkout.Read(path))
            select path;

        Checkout.AssertNone(findings, "Syncs beside the one in Lm.Platform (.NET hides a failing sync):");
    }

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"FlushToDisk|Flush\((flushToDisk: *)?true\)|EntryPoint = ""f(data)?sync""")]
    private static partial Regex SyncCall();
}
