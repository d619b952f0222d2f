using System.Text;

namespace Lm.Toml.Tests;

public sealed class TomlTableTests
{
    [Fact]
    public void Every_kind_of_read_gives_the_value_that_stands_in_the_file()
    {
        var document = Parse("""
            name = "n"
            choice = "b"
            size = 8_388_608
            on = true
            list = ["x", 'y']
            [labels]
            site = "lab"
            "odd key" = ""
            [deep.er]
            key = 0x10
            [[tokens]]
            id = "a"
            [[tokens]]
            id = "b"
            """);
        var root = document.Root;

        Assert.Equal("n", root.ReadRequiredString("name"));
        Assert.Equal("b", root.ReadChoice("choice", "a", "a", "b"));
        Assert.Equal(8388608, root.ReadInteger("size", 1, 0, 10_000_000));
        Assert.True(root.ReadBoolean("on", false));
        Assert.Equal(["x", "y"], root.ReadStrings("list"));
        Assert.Equal(
            [KeyValuePair.Create("site", "lab"), KeyValuePair.Create("odd key", "")],
            root.ReadTable("labels").ReadAllStrings());
        Assert.Equal(16, root.ReadTable("deep").ReadTable("er").ReadInteger("key", 0, 0, 100));
        Assert.Equal(["a", "b"], root.ReadTables("tokens").Select(token => token.ReadString("id", "")));
        root.RefuseUnknownKeys();
        Assert.Empty(document.Faults.All);
    }

    [Fact]
    public void A_number_is_an_integer_or_a_finite_float()
    {
        var document = Parse("a = 5\nb = -0.5\nc = inf\nd = \"5\"\n");
        double?[] numbers = [document.Root.ReadNumber("a"), document.Root.ReadNumber("b"), document.Root.ReadNumber("c"), document.Root.ReadNumber("d"), document.Root.ReadNumber("e")];

        Assert.Equal([5, -0.5, null, null, null], numbers);
        Assert.Equal(["c is no finite number", "d is a string; a number is expected"], document.Faults.All.Select(fault => fault.Message));
    }

    [Fact]
    public void Settings_are_listed_with_the_values_in_effect_and_where_they_stand()
    {
        var root = Parse("[a]\nlist = [\"x\"]\nwrong = 5\n").Root;
        var table = root.ReadTable("a");
        table.ReadStrings("list");
        table.ReadString("wrong", "d");
        table.ReadInteger("missing", 7, 0, 9);
        table.ReadChoice("kind", "b", "a", "b");
        root.ReadBoolean("on", true);

        Assert.Equal(
            ["on = true, default", "a.list = [\"x\"], 2:8", "a.wrong = \"d\", 3:9", "a.missing = 7, default", "a.kind = \"b\", default"],
            root.Settings().Select(each => $"{each.Path} = {each.Value}, {(each.Position is { } at ? $"{at.Line}:{at.Column}" : "default")}"));
    }

    [Fact]
    public void A_document_as_json_has_the_same_keys_and_values_in_order()
    {
        var document = Parse("z = \"a\\u0022\"\nlist = [1, 2.5, [true]]\n[t.u]\nx = {}\n[[t.v]]\ny = 1\n");
        using var json = new MemoryStream();
        using (var writer = new System.Text.Json.Utf8JsonWriter(json))
        {
            TomlJson.Write(document, writer);
        }

        Assert.Equal("""{"z":"a\u0022","list":[1,2.5,[true]],"t":{"u":{"x":{}},"v":[{"y":1}]}}""", Encoding.UTF8.GetString(json.ToArray()));
        using var nowhere = new System.Text.Json.Utf8JsonWriter(Stream.Null);
        Assert.Throws<InvalidOperationException>(() => TomlJson.Write(Parse("d = 2026-01-02"), nowhere));
        Assert.Throws<InvalidOperationException>(() => TomlJson.Write(Parse("d ="), nowhere));
    }

    [Fact]
    public void A_missing_key_gives_the_default_without_a_fault()
    {
        var document = Parse("");
        var root = document.Root;

        Assert.Equal("d", root.ReadString("a", "d"));
        Assert.Equal("x", root.ReadChoice("b", "x", "x", "y"));
        Assert.Equal(7, root.ReadInteger("c", 7, 0, 1));
        Assert.True(root.ReadBoolean("d", true));
        Assert.Empty(root.ReadStrings("e"));
        Assert.False(root.ReadTable("f").IsPresent);
        Assert.Equal(3, root.ReadTable("f").ReadTable("g").ReadInteger("h", 3, 0, 9));
        Assert.Empty(root.ReadTables("i"));
        root.RefuseUnknownKeys();
        Assert.Empty(document.Faults.All);
    }

    [Fact]
    public void All_faults_are_reported_at_once_in_the_order_of_their_places()
    {
        var document = Parse("""
            listen = 5
            [ingest]
            maxx_body_bytes = 1
            max_series_per_batch = 50
            acceptance = "yes"
            [ingest.tls]
            """);
        var ingest = document.Root.ReadTable("ingest");
        ingest.ReadTable("tls").ReadRequiredString("cert_file");
        ingest.ReadChoice("acceptance", "local_spool", "local_spool", "s3_manifest");
        ingest.ReadInteger("max_series_per_batch", 2048, 107, 1000000);
        ingest.ReadInteger("max_body_bytes", 8388608, 1, 1 << 30);
        document.Root.ReadString("listen", "");
        document.Root.RefuseUnknownKeys();

        Assert.Equal(
            [
                "s.toml:1:10: listen is an integer; a string is expected",
                "s.toml:3:1: unknown key \"maxx_body_bytes\" in [ingest]; did you mean \"max_body_bytes\"?",
                "s.toml:4:24: max_series_per_batch is 50; allowed is 107 to 1000000",
                "s.toml:5:14: acceptance is \"yes\"; allowed is \"local_spool\" or \"s3_manifest\"",
                "s.toml:6:1: cert_file is missing in [ingest.tls]; a string is expected",
            ],
            Texts(document));
    }

    [Theory]
    [InlineData("1", "an integer")]
    [InlineData("1.5", "a float")]
    [InlineData("true", "a boolean")]
    [InlineData("2026-08-01", "a date")]
    [InlineData("07:32:00", "a time")]
    [InlineData("2026-08-01T07:32:00", "a date-time")]
    [InlineData("2026-08-01 07:32:00Z", "a date-time")]
    [InlineData("[]", "an array")]
    [InlineData("{}", "an inline table")]
    public void A_wrong_type_is_named(string value, string kind)
    {
        var document = Parse($"a = {value}");
        Assert.Equal("d", document.Root.ReadString("a", "d"));
        Assert.Equal([$"s.toml:1:5: a is {kind}; a string is expected"], Texts(document));
    }

    [Fact]
    public void Each_read_says_what_it_expects()
    {
        var document = Parse("""
            text = ""
            choice = 1
            integer = 1.0
            boolean = "true"
            list = "x"
            items = ["a", 1]
            table = 1
            tables = [1]
            array = {}
            [[grown]]
            """);
        var root = document.Root;
        root.ReadRequiredString("text");
        root.ReadChoice("choice", "a", "a", "b", "c");
        root.ReadInteger("integer", 1, 0, 9);
        root.ReadBoolean("boolean", false);
        root.ReadStrings("list");
        Assert.Equal(["a"], root.ReadStrings("items"));
        root.ReadTable("table");
        root.ReadTables("tables");
        root.ReadTables("array");
        root.ReadTable("grown");

        Assert.Equal(
            [
                "s.toml:1:8: text is empty; a string with text is expected",
                "s.toml:2:10: choice is an integer; \"a\", \"b\" or \"c\" is expected",
                "s.toml:3:11: integer is a float; an integer from 0 to 9 is expected",
                "s.toml:4:11: boolean is a string; true or false is expected",
                "s.toml:5:8: list is a string; an array of strings is expected",
                "s.toml:6:15: item 2 of items is an integer; a string is expected",
                "s.toml:7:9: table is an integer; a table, [table], is expected",
                "s.toml:8:11: item 1 of tables is an integer; a table is expected",
                "s.toml:9:9: array is an inline table; an array of tables, [[array]], is expected",
                "s.toml:10:1: grown is an array of tables; a table, [grown], is expected",
            ],
            Texts(document));
    }

    [Theory]
    [InlineData("0", long.MinValue, 5, true)]
    [InlineData("6", long.MinValue, 5, false)]
    [InlineData("5", 5, 5, true)]
    [InlineData("-9223372036854775808", long.MinValue, long.MaxValue, true)]
    [InlineData("9223372036854775807", 0, long.MaxValue, true)]
    [InlineData("-1", 0, long.MaxValue, false)]
    public void The_bounds_of_an_integer_are_included(string value, long min, long max, bool isAllowed)
    {
        var document = Parse($"a = {value}");
        document.Root.ReadInteger("a", 1, min, max);
        Assert.Equal(isAllowed, !document.Faults.Any);
    }

    [Fact]
    public void Nothing_that_follows_from_a_fault_is_reported()
    {
        var document = Parse("a = 1\nt = 2\nu = [3]");
        document.Root.ReadString("a", "");
        document.Root.Fault("a", "a names no file");
        document.Root.ReadTable("t").ReadRequiredString("needed");
        document.Root.ReadTables("u")[0].ReadRequiredString("needed");
        document.Root.ReadRequiredString("b");
        document.Root.Fault("b", "b is no address");
        document.Root.RefuseUnknownKeys();

        Assert.Equal(
            [
                "s.toml:1:1: b is missing; a string is expected",
                "s.toml:1:5: a is an integer; a string is expected",
                "s.toml:2:5: t is an integer; a table, [t], is expected",
                "s.toml:3:6: item 1 of u is an integer; a table is expected",
            ],
            Texts(document));
    }

    [Fact]
    public void After_a_fault_of_syntax_readers_add_nothing()
    {
        var document = Parse("a = \nb = 2");
        var root = document.Root;
        root.ReadRequiredString("a");
        root.ReadTable("t").ReadRequiredString("c");
        root.Fault("b", "no");
        root.RefuseUnknownKeys();
        document.Faults.Add(root.PositionOf("b"), "cross-check of defaults");

        Assert.Equal(["s.toml:1:5: a value is expected; found the end of the line"], Texts(document));
        Assert.Equal(9, root.ReadInteger("b", 9, 0, 9));
    }

    [Fact]
    public void Positions_are_of_the_value_and_of_the_table_when_the_key_is_missing()
    {
        var document = Parse("a = 1\n\n  [t]\n\tb = 'x'\n  [[u]]\n  [v.w]\ni = { j = 1 }");
        var table = document.Root.ReadTable("t");
        Assert.Equal(new TomlPosition(1, 5), document.Root.PositionOf("a"));
        Assert.Equal(new TomlPosition(1, 1), document.Root.PositionOf("none"));
        Assert.Equal(new TomlPosition(4, 6), table.PositionOf("b"));
        Assert.Equal(new TomlPosition(3, 3), table.PositionOf("none"));
        Assert.Equal(new TomlPosition(5, 3), document.Root.ReadTables("u")[0].Position);
        Assert.Equal(new TomlPosition(7, 5), document.Root.ReadTable("v").ReadTable("w").ReadTable("i").Position);
        Assert.Equal(new TomlPosition(1, 1), document.Root.ReadTable("none").PositionOf("x"));
    }

    [Fact]
    public void A_slice_adds_its_own_fault_at_the_value()
    {
        var document = Parse("a = 1");
        document.Root.ReadInteger("a", 1, 0, 9);
        document.Root.Fault("a", "a is 1, which is odd");
        Assert.Equal(["s.toml:1:5: a is 1, which is odd"], Texts(document));
    }

    [Fact]
    public void An_array_of_tables_may_also_be_written_inline()
    {
        var document = Parse("tokens = [{ id = \"a\" }, { id = \"b\", x = 1 }]");
        Assert.Equal(["a", "b"], document.Root.ReadTables("tokens").Select(token => token.ReadRequiredString("id")));
        document.Root.RefuseUnknownKeys();
        Assert.Equal(["s.toml:1:37: unknown key \"x\" in [[tokens]]; known are id"], Texts(document));
    }

    [Fact]
    public void A_key_read_twice_has_one_fault()
    {
        var document = Parse("a = 1\nz = 1");
        document.Root.ReadString("a", "");
        document.Root.ReadString("a", "");
        document.Root.RefuseUnknownKeys();
        document.Root.RefuseUnknownKeys();
        Assert.Equal(2, document.Faults.All.Count);
    }

    [Fact]
    public void Faults_beyond_a_hundred_are_counted_and_not_kept()
    {
        var document = Parse(string.Concat(Enumerable.Range(0, 1000).Select(i => $"key{i} = 1\n")));
        document.Root.ReadString("b", "");
        document.Root.RefuseUnknownKeys();
        var all = document.Faults.All;
        Assert.Equal(SettingsFaults.CountMax + 1, all.Count);
        Assert.Equal("s.toml:100:1: and 900 more faults, not shown", all[^1].ToString());
    }

    private static TomlDocument Parse(string text) => TomlDocument.Parse(Encoding.UTF8.GetBytes(text), "s.toml");

    private static IEnumerable<string> Texts(TomlDocument document) => document.Faults.All.Select(fault => fault.ToString());
}
