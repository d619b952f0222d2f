using System.Text.Json;

namespace Lm.Toml.Tests;

/// <summary>Every case of the TOML project's suite that applies to TOML 1.0.0.</summary>
public sealed class TomlSuiteTests
{
    // Far fewer would mean that the list was cut or misread, not that the suite shrank.
    private const int ValidMin = 200;
    private const int InvalidMin = 450;

    [Fact]
    public void Every_listed_file_is_a_case_of_one_of_the_two_tests()
    {
        var listed = File.ReadLines(Path.Combine(TomlSuite.Require(), "files-toml-1.0.0")).Where(name => name.Length > 0).ToHashSet();
        var seen = TomlSuite.Listed("valid", ".toml")
            .Concat(TomlSuite.Listed("valid", ".json"))
            .Concat(TomlSuite.Listed("invalid", ".toml"));
        Assert.Equal(listed.Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_valid_document_has_the_values_of_its_json()
    {
        var failures = new List<string>();
        var cases = TomlSuite.Listed("valid", ".toml");
        foreach (var name in cases)
        {
            var document = TomlDocument.Parse(TomlSuite.Bytes(name), name);
            using var expected = JsonDocument.Parse(TomlSuite.Bytes(Path.ChangeExtension(name, ".json")));
            failures.AddRange(document.Top is null
                ? document.Faults.All.Select(fault => fault.ToString())
                : SuiteJson.Differences(expected.RootElement, document.Top, name));
        }

        Assert.Empty(failures);
        Assert.True(cases.Count >= ValidMin, $"only {cases.Count} cases");
    }

    [Fact]
    public void Every_invalid_document_is_refused_with_line_and_column()
    {
        var failures = new List<string>();
        var cases = TomlSuite.Listed("invalid", ".toml");
        foreach (var name in cases)
        {
            var document = TomlDocument.Parse(TomlSuite.Bytes(name), name);
            if (document.Top is not null || !document.Faults.Any)
            {
                failures.Add($"{name} was accepted");
            }

            failures.AddRange(document.Faults.All
                .Where(fault => fault.Position is not { Line: >= 1, Column: >= 1 } || fault.Message.Length == 0)
                .Select(fault => fault.ToString()));
        }

        Assert.Empty(failures);
        Assert.True(cases.Count >= InvalidMin, $"only {cases.Count} cases");
    }
}
