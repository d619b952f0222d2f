using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Lm.Toml.Tests;

public sealed class UnknownKeyTests
{
    private static readonly string[] Known =
    [
        "listen", "token_table_file", "acceptance", "max_body_bytes", "max_batch_bytes", "max_series_per_batch", "max_labels_per_series",
        "max_label_key_bytes", "max_label_value_bytes",
    ];

    [Theory]
    [InlineData("lsiten", "listen")]
    [InlineData("LISTEN", "listen")]
    [InlineData("max_bodybytes", "max_body_bytes")]
    [InlineData("max-label-key-bytes", "max_label_key_bytes")]
    [InlineData("max_label_keys_bytes", "max_label_key_bytes")]
    public void The_nearest_known_key_is_named(string unknown, string nearest) =>
        Assert.Equal([$"s.toml:1:1: unknown key \"{unknown}\"; did you mean \"{nearest}\"?"], Faults($"{unknown} = 1"));

    [Theory]
    [InlineData("colour")]
    [InlineData("x")]
    public void No_key_is_named_when_none_is_near_and_the_list_is_long(string unknown) =>
        Assert.Equal([$"s.toml:1:1: unknown key \"{unknown}\""], Faults($"{unknown} = 1"));

    [Fact]
    public void A_short_list_of_known_keys_is_shown_when_none_is_near()
    {
        var document = Parse("[[tokens]]\ncolour = 1");
        var token = Assert.Single(document.Root.ReadTables("tokens"));
        token.ReadString("agent_id", "");
        token.ReadString("token", "");
        document.Root.RefuseUnknownKeys();
        Assert.Equal(["s.toml:2:1: unknown key \"colour\" in [[tokens]]; known are agent_id, token"], Texts(document));
    }

    [Fact]
    public void An_unknown_table_is_reported_once_at_its_key_and_without_its_children() =>
        Assert.Equal(
            ["s.toml:1:2: unknown key \"colours\"", "s.toml:4:3: unknown key \"shapes\""],
            Faults("[colours]\na = 1\nb.c = 2\n[[shapes]]\n[[shapes]]\ndots.a = 1"));

    [Fact]
    public void Unknown_keys_are_found_in_every_table_that_was_read()
    {
        var document = Parse("[a]\nx = 1\n[a.b]\ny = 2\n[[c]]\n[[c]]\nz = 3");
        document.Root.ReadTable("a").ReadTable("b");
        document.Root.ReadTables("c");
        document.Root.RefuseUnknownKeys();
        Assert.Equal(
            [
                "s.toml:2:1: unknown key \"x\" in [a]; known are b",
                "s.toml:4:1: unknown key \"y\" in [a.b]",
                "s.toml:7:1: unknown key \"z\" in [[c]]",
            ],
            Texts(document));
    }

    [Fact]
    public void A_key_that_cannot_be_shown_as_it_is_is_quoted_and_cut() =>
        Assert.Equal(
            ["s.toml:1:1: unknown key \"\\u001B[31m\\\"\\u202E\"", $"s.toml:2:1: unknown key \"{new string('k', 64)}…\""],
            Faults($"\"\\u001b[31m\\\"\\u202e\" = 1\n{new string('k', 1000)} = 1"));

    [Fact]
    public void A_key_that_was_only_looked_for_is_still_unknown()
    {
        var document = Parse("a = 1");
        Assert.True(document.Root.Has("a"));
        document.Root.RefuseUnknownKeys();
        Assert.Equal(["s.toml:1:1: unknown key \"a\""], Texts(document));
    }

    [Theory]
    [InlineData("", "", 0)]
    [InlineData("abc", "", 3)]
    [InlineData("abc", "acb", 1)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("ca", "abc", 3)]
    public void Distance_counts_inserted_dropped_changed_and_swapped_letters(string from, string to, int expected) =>
        Assert.Equal(expected, NearestKey.Distance(from, to));

    [Fact]
    public void Distance_is_symmetric_and_within_its_bounds() =>
        Prop.ForAll(Words, Words, (from, to) =>
        {
            var distance = NearestKey.Distance(from, to);
            return distance == NearestKey.Distance(to, from)
                && distance >= Math.Abs(from.Length - to.Length)
                && distance <= Math.Max(from.Length, to.Length)
                && (distance == 0) == (from == to);
        }).QuickCheckThrowOnFailure();

    private static readonly Arbitrary<string> Words = Arb.From(
        Gen.Elements('a', 'b', 'c').ArrayOf().Select(letters => new string(letters)));

    private static IEnumerable<string> Faults(string text)
    {
        var document = Parse(text);
        foreach (var key in Known)
        {
            document.Root.ReadString(key, "");
        }

        document.Root.RefuseUnknownKeys();
        return Texts(document);
    }

    private static TomlDocument Parse(string text) => TomlDocument.Parse(Encoding.UTF8.GetBytes(text), "s.toml");

    private static IEnumerable<string> Texts(TomlDocument document) => document.Faults.All.Select(fault => fault.ToString());
}
