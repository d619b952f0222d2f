using System.Text;

namespace Lm.Toml.Tests;

/// <summary>Texts made to exhaust a parser. A megabyte of each is read to its end here; a quadratic step anywhere would take hours.</summary>
public sealed class HostileTextTests
{
    private const int Megabyte = 1 << 20;

    [Theory]
    [InlineData("a = ", "[", 1, 132)]
    [InlineData("a = ", "[\n", 128, 1)]
    [InlineData("", "a={", 1, 384)]
    [InlineData("", "a.", 1, 257)]
    [InlineData("[", "a.", 1, 258)]
    [InlineData("[[", "a.", 1, 259)]
    public void Nesting_without_end_is_refused_at_the_limit(string start, string repeated, int line, int column)
    {
        var fault = Assert.Single(Parse(start + Repeated(repeated)).Faults.All);
        Assert.Equal("tables and arrays lie too deep in each other; allowed are 128 levels", fault.Message);
        Assert.Equal(new TomlPosition(line, column), fault.Position);
    }

    [Fact]
    public void Nesting_up_to_the_limit_is_read()
    {
        var depth = TomlParser.DepthMax - 1;
        Assert.False(Parse($"a = {new string('[', depth)}{new string(']', depth)}").Faults.Any);
        Assert.True(Parse($"a = {new string('[', depth + 1)}{new string(']', depth + 1)}").Faults.Any);
        Assert.False(Parse($"[{string.Join('.', Enumerable.Repeat("a", depth + 1))}]").Faults.Any);
        Assert.False(Parse($"[{string.Join('.', Enumerable.Repeat("a", depth))}]\nb = 1").Faults.Any);
        Assert.True(Parse($"[{string.Join('.', Enumerable.Repeat("a", depth + 1))}]\nb = 1").Faults.Any);
    }

    [Theory]
    [InlineData("s = \"", "x", "\"")]
    [InlineData("s = '", "'", "")]
    [InlineData("s = '''", "x''", "'''")]
    [InlineData("s = \"\"\"", "\"", "")]
    [InlineData("s = \"\"\"", "\\\n", "\"\"\"")]
    [InlineData("s = \"\"\"\\", " \n", "\"\"\"")]
    [InlineData("s = \"", "\\u0041", "\"")]
    [InlineData("#", "#", "")]
    [InlineData("", "\r\n", "")]
    [InlineData("", " ", "")]
    [InlineData("", "\r", "")]
    [InlineData("n = 1", "_1", "")]
    [InlineData("n = 0x", "0", "1")]
    [InlineData("n = 0.", "0", "1")]
    [InlineData("n = 1e", "9", "")]
    [InlineData("n = 07:32:00.", "1", "")]
    [InlineData("n = 1979-05-27 ", "1", "")]
    [InlineData("a = [", "1,", "]")]
    [InlineData("a = [", "#\n", "]")]
    [InlineData("a = [", "{},", "]")]
    [InlineData("a = [", "1\n,\n", "]")]
    [InlineData("", "[[a]]\n", "")]
    [InlineData("", "[[a]]\n[a.b.c.d.e]\n", "")]
    [InlineData("", "[a]\n", "")]
    [InlineData("", "a=1\n", "")]
    [InlineData("", "a b\n", "")]
    [InlineData("", "\"", "")]
    [InlineData("[", " ", "")]
    [InlineData("", "\0", "")]
    [InlineData("😀", "😀", "")]
    public void A_megabyte_of_anything_is_read_to_its_end(string start, string repeated, string end)
    {
        var document = Parse(start + Repeated(repeated) + end);
        Assert.Equal(document.Top is null, document.Faults.Any);
        Assert.True(document.Faults.All.Count <= SettingsFaults.CountMax + 1);
    }

    [Fact]
    public void A_megabyte_of_keys_is_read_and_each_is_refused_when_none_is_known()
    {
        var keys = Megabyte / 10;
        var inline = string.Join(',', Enumerable.Range(0, keys).Select(i => $"max_{i:x}=1"));
        var document = Parse($"t = {{{inline}}}");
        var table = document.Root.ReadTable("t");
        for (var i = 0; i < 40; i++)
        {
            table.ReadInteger($"max_known_key_{i}", 0, 0, 1);
            table.ReadInteger($"max_{i}x", 0, 0, 1);
        }

        document.Root.RefuseUnknownKeys();
        Assert.EndsWith($"and {keys - SettingsFaults.CountMax} more faults, not shown", document.Faults.All[^1].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_megabyte_of_labels_is_read()
    {
        var labels = Megabyte / 12;
        var document = Parse(string.Concat(Enumerable.Range(0, labels).Select(i => $"k{i:x} = \"v\"\n")));
        Assert.Equal(labels, document.Root.ReadAllStrings().Count);
        document.Root.RefuseUnknownKeys();
        Assert.False(document.Faults.Any);
    }

    private static string Repeated(string text) => new StringBuilder(Megabyte).Insert(0, text, Megabyte / text.Length).ToString();

    private static TomlDocument Parse(string text) => TomlDocument.Parse(Encoding.UTF8.GetBytes(text), "f.toml");
}
