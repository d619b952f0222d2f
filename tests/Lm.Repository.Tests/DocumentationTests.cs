using System.Text.RegularExpressions;

namespace Lm.Repository.Tests;

public sealed partial class DocumentationTests
{
    [Fact]
    public void Every_setting_of_the_samples_is_documented()
    {
        var documented = Checkout.Read("docs/configuration.md");
        var findings =
            from path in Checkout.Under("config/", ".toml")
            from Match found in Setting().Matches(Checkout.Read(path))
            let key = found.Groups[1].Value
            where !documented.Contains($"`{key}`", StringComparison.Ordinal)
            select $"{path}: {key}";

        Checkout.AssertNone(findings.Distinct(), "Settings that docs/configuration.md does not describe:");
    }

    [Fact]
    public void Every_setting_that_is_read_is_documented()
    {
        var documented = Checkout.Read("docs/configuration.md");
        var findings =
            from path in Checkout.Under("src/Lm.Agent/Settings/", ".cs").Concat(Checkout.Under("src/Lm.Collector/Settings/", ".cs"))
            from Match found in Read().Matches(Checkout.Read(path))
            let key = found.Groups[1].Value
            where !documented.Contains($"`{key}`", StringComparison.Ordinal) && !documented.Contains($"[{key}]", StringComparison.Ordinal)
                && !documented.Contains($".{key}]", StringComparison.Ordinal)
            select $"{path}: {key}";

        Checkout.AssertNone(findings.Distinct(), "Settings that docs/configuration.md does not describe:");
    }

    [Fact]
    public void Every_metric_is_documented()
    {
        var documented = Checkout.Read("docs/metrics.md") + Checkout.Read("docs/events.md"); // names of events look alike
        var findings =
            from path in Checkout.Under("src/", ".cs")
            from Match found in Metric().Matches(Checkout.Read(path))
            where !documented.Contains($"`{found.Groups[1].Value}`", StringComparison.Ordinal)
            select $"{path}: {found.Groups[1].Value}";

        Checkout.AssertNone(findings.Distinct(), "Metrics that docs/metrics.md does not list:");
    }

    [Fact]
    public void Every_event_is_documented()
    {
        var documented = Checkout.Read("docs/events.md");
        var findings =
            from path in Checkout.Under("src/Lm.Agent/Events/", ".cs")
            from Match found in Event().Matches(Checkout.Read(path))
            where !documented.Contains($"`{found.Groups[1].Value}`", StringComparison.Ordinal)
            select $"{path}: {found.Groups[1].Value}";

        Checkout.AssertNone(findings, "Events that docs/events.md does not list:");
    }

    [Fact]
    public void Every_format_page_has_golden_bytes()
    {
        Checkout.AssertNone(
            from page in Checkout.Under("docs/formats/", ".md")
            let folder = $"tests/fixtures/golden/{Path.GetFileNameWithoutExtension(page)}/"
            where !Checkout.Under(folder, "").Any()
            select $"{page}: no file in {folder}",
            "Formats that no golden bytes pin down:");
    }

    [Fact]
    public void Links_between_pages_lead_somewhere()
    {
        Checkout.AssertNone(
            from page in Checkout.Under("", ".md")
            from Match found in Link().Matches(Checkout.Read(page))
            let target = found.Groups[1].Value
            where !target.Contains("://", StringComparison.Ordinal)
            let path = Path.GetFullPath(Path.Combine(Checkout.Root, Path.GetDirectoryName(page)!, target))
            where !Path.Exists(path)
            select $"{page}: {target}",
            "Links to nothing:");
    }

    [Fact]
    public void Problem_codes_are_documented()
    {
        var documented = Checkout.Read("docs/protocol.md");

        Checkout.AssertNone(
            from Match found in ProblemCode().Matches(Checkout.Read("src/Lm.Protocol/ProblemCode.cs"))
            where !documented.Contains($"`{found.Groups[1].Value}`", StringComparison.Ordinal)
            select found.Groups[1].Value,
            "Codes that docs/protocol.md does not describe:");
    }

    // A key at the start of a line, also where the sample has it commented out.
    [GeneratedRegex(@"^(?:# )?([a-z][a-z0-9_]*) = ", RegexOptions.Multiline)]
    private static partial Regex Setting();

    [GeneratedRegex(@"(?:\.Read\w+|ReadInt|ReadFile|ReadFolder|ReadCertificates)\((?:table, |root, )?""([a-z][a-z0-9_]*)""")]
    private static partial Regex Read();

    [GeneratedRegex(@"""((?:lm_collector|lm_agent|lmagent|lightmetrics_host|node|process|container)_[a-zA-Z0-9_]+)""")]
    private static partial Regex Metric();

    [GeneratedRegex(@"""((?:agent|settings|clock|queue|batch|collect|input|events|process|file|watch)_[a-z_]+)""")]
    private static partial Regex Event();

    [GeneratedRegex(@"\]\(([^)#\s]+)(?:#[^)]*)?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"= ""([a-z_]+)""")]
    private static partial Regex ProblemCode();
}
