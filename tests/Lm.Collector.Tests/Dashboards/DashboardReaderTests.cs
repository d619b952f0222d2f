using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Lm.Collector.Dashboards;
using Lm.PromQL;
using Lm.Toml;

namespace Lm.Collector.Tests.Dashboards;

public sealed class DashboardReaderTests
{
    [Fact]
    public void A_definition_with_every_key_of_every_kind_is_read_and_handed_on_as_it_was_written()
    {
        var text = Fixture("full.good.toml");
        var (dashboard, faults) = Read(text);

        Assert.Empty(faults);
        Assert.Equal(("all-keys", "Every key", 8, text), (dashboard!.Id, dashboard.Title, dashboard.Panels, dashboard.Toml));
        Assert.Equal(["test"], dashboard.Tags);
        using var json = JsonDocument.Parse(dashboard.Json);
        var first = json.RootElement.GetProperty("panels")[0];
        Assert.Equal((12, -1.5, "desc"), (first.GetProperty("grid").GetProperty("w").GetInt32(), first.GetProperty("min").GetDouble(), json.RootElement.GetProperty("variables")[0].GetProperty("sort").GetString()));
        Assert.True(first.GetProperty("queries")[1].GetProperty("hidden").GetBoolean());
    }

    [Fact]
    public void All_faults_of_a_definition_are_found_at_once_each_at_its_place()
    {
        var (dashboard, faults) = Read(Fixture("faults.bad.toml"));

        Assert.Null(dashboard);
        Assert.Equal(Fixture("faults.bad.faults").TrimEnd('\n').Split('\n'), faults);
    }

    [Theory]
    [InlineData(PromSemantics.V3)]
    [InlineData(PromSemantics.V2)]
    public void The_built_in_ones_are_good(PromSemantics semantics) =>
        Assert.Equal(["collector", "fleet", "host", "logs"], BuiltinDashboards.Of(semantics).Select(dashboard => dashboard.Id));

    [Fact]
    public void Values_are_escaped_for_where_they_stand_and_refused_elsewhere()
    {
        using var cases = JsonDocument.Parse(Fixture("fill.json"));
        foreach (var each in cases.RootElement.EnumerateArray())
        {
            var query = each.GetProperty("query").GetString()!;
            if (each.GetProperty("values").EnumerateObject().Any(value => value.Value.GetArrayLength() > 1))
            {
                continue; // several values at once are the console's; samples are one
            }

            var variables = each.GetProperty("values").EnumerateObject()
                .Select(value => new DashboardVariable(value.Name, Has(each, "intervals", value.Name), Has(each, "many", value.Name), value.Value[0].GetString()!)).ToArray();
            var isGood = QueryFill.TryFill(query, variables, null, out var filled, out var fault);
            Assert.Equal(each.TryGetProperty("fault", out var expected) ? (false, expected.GetString()!) : (true, ""), (isGood, fault));
            Assert.True(!isGood || filled == each.GetProperty("filled").GetString(), filled);
        }
    }

    [Fact]
    public void No_value_changes_what_a_query_is() => Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(), value =>
    {
        var variables = new[] { new DashboardVariable("v", false, false, value.Get) };
        Assert.True(QueryFill.TryFill("up{a=\"$v\",b!~'$v'}", variables, null, out var filled, out _));
        // Text that is no Unicode, and what the language itself refuses in strings, may be refused; it never becomes something else.
        if (PromParser.TryParse(filled, out var expression, out _))
        {
            var selector = Assert.IsType<VectorSelector>(expression);
            Assert.Equal(3, selector.Matchers.Count);
            Assert.Equal(value.Get, selector.Matchers.Single(matcher => matcher.Name == "a").Value);
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_text_makes_the_reader_throw() => Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(), text =>
    {
        _ = Read(text.Get);
        _ = Read($"id = \"x\"\ntitle = \"x\"\n[[panels]]\nid = \"p\"\n{text.Get}");
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_definition_that_is_too_long_is_refused_as_a_whole()
    {
        var (dashboard, faults) = Read($"id = \"x\"\ntitle = \"X\"\n#{new string('x', Dashboard.SizeMax)}\n");

        Assert.Null(dashboard);
        Assert.Equal($"f:1:1: the definition has {Dashboard.SizeMax + 23} bytes; at most {Dashboard.SizeMax} are allowed", Assert.Single(faults));
    }

    private static bool Has(JsonElement each, string list, string name) => each.TryGetProperty(list, out var names) && names.EnumerateArray().Any(other => other.GetString() == name);

    private static (Dashboard? Dashboard, string[] Faults) Read(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var document = TomlDocument.Parse(bytes, "f");
        var dashboard = DashboardReader.Read(document, bytes, DashboardOrigin.File, PromSemantics.V3);
        return (dashboard, [.. document.Faults.All.Select(fault => fault.ToString())]);
    }

    private static string Fixture(string name, [CallerFilePath] string here = "") =>
        File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "../../fixtures/dashboards", name));
}
