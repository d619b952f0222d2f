using System.Text;

namespace Lm.Toml.Tests;

public sealed class SyntaxFaultTests
{
    [Theory]
    [InlineData("a = ", "f.toml:1:5: a value is expected; found the end of the file")]
    [InlineData("a 1", "f.toml:1:3: = should follow the key; found '1'")]
    [InlineData("a = 1 b = 2", "f.toml:1:7: the line should end here; found 'b'")]
    [InlineData("[a", "f.toml:1:3: the header should close with ]; found the end of the file")]
    [InlineData("[[a]", "f.toml:1:5: the header should close with ]]; found the end of the file")]
    [InlineData("a = [1\nb = 2", "f.toml:2:1: a comma or the ] of the array from line 1 is expected; found 'b'")]
    [InlineData(
        "a = { b = 1,\n}", "f.toml:1:13: a key (letters, digits, _ and -, or text in quotes) is expected; found the end of the line")]
    [InlineData("a = \"x", "f.toml:1:5: the string that begins here has no closing \" in its line")]
    [InlineData("a = '''x", "f.toml:1:5: the string that begins here has no closing '''")]
    [InlineData("a = True", "f.toml:1:5: not a value: text needs quotes; true, false and inf are in small letters")]
    [InlineData("a = 007", "f.toml:1:5: a number has no leading zeros")]
    [InlineData(
        "a = 9223372036854775808",
        "f.toml:1:5: the integer does not fit in 64 bits; allowed is -9223372036854775808 to 9223372036854775807")]
    [InlineData("a = 1e400", "f.toml:1:5: the float does not fit in 64 bits; its size is at most about 1.8e308")]
    [InlineData("a = 2026-02-29", "f.toml:1:5: the day is 29; that month has the days 1 to 28")]
    [InlineData("a = 1\rb = 2", "f.toml:1:6: a carriage return without a line feed; lines end with LF or CRLF")]
    [InlineData("# \u0007", "f.toml:1:3: the control character U+0007 is not allowed in TOML")]
    [InlineData("a = 1\na = 2", "f.toml:2:1: a is already defined at line 1")]
    [InlineData("[a]\n[a]", "f.toml:2:2: [a] is already defined at line 1")]
    [InlineData("[[a]]\n[a]", "f.toml:2:2: a is an array of tables since line 1; only its own [[header]] adds to it")]
    [InlineData("a = {}\n[a.b]", "f.toml:2:2: a is an inline table since line 1; nothing can be added to it")]
    [InlineData("[a.b]\n[a]\nb.c = 1", "f.toml:3:1: b has its own header at line 1; a dotted key cannot add to it")]
    [InlineData("[a.b.c]\n[a]\nb.x = 1\n[a.b]", "f.toml:4:4: [a.b] is already defined at line 3")]
    [InlineData("[a.b]\n[a]\n[a]", "f.toml:3:2: [a] is already defined at line 2")]
    [InlineData("[a.b.c]\n[a]\nb.c.x = 1", "f.toml:3:3: c has its own header at line 1; a dotted key cannot add to it")]
    public void A_fault_says_where_what_was_found_and_what_is_allowed(string text, string expected) =>
        Assert.Equal([expected], Faults(text));

    [Fact]
    public void Columns_count_characters_and_not_bytes_or_halves_of_pairs() =>
        Assert.Equal(["f.toml:1:12: the line should end here; found 'x'"], Faults("\"é😀\" = '😀' x"));

    [Fact]
    public void A_byte_order_mark_takes_no_column() =>
        Assert.Equal(["f.toml:1:2: = should follow the key; found the end of the file"], Faults("\uFEFFa"));

    [Fact]
    public void A_byte_that_is_not_utf8_is_a_fault_at_its_line_and_column()
    {
        byte[] bytes = [.. "a = 1\n# é"u8, 0xFF];
        Assert.Equal(
            ["f.toml:2:4: byte 10 of the file, counted from 0, is not valid UTF-8; a TOML file is UTF-8 throughout"],
            Faults(bytes));
    }

    [Fact]
    public void A_file_over_the_size_limit_is_refused_unread() =>
        Assert.Equal(["f.toml:1:1: the file has 16777217 bytes; allowed is 16777216"], Faults(new byte[TomlText.BytesMax + 1]));

    [Fact]
    public void Faults_of_several_lines_are_reported_together_where_each_line_stands_alone() =>
        Assert.Equal(
            [
                "f.toml:1:5: not a value: text needs quotes; true, false and inf are in small letters",
                "f.toml:3:3: = should follow the key; found 'x'",
                "f.toml:4:4: the header should close with ]; found 'y'",
            ],
            Faults("a = yes\nb = 1\nc x\n[d y]\ne = 1"));

    [Theory]
    [InlineData("a = \"two\nlines\"\nb = = 2")]
    [InlineData("a = x\"\"\"\nno = = key\n\"\"\"")]
    [InlineData("a = [x,\n1 2\n]")]
    [InlineData("a =\n1 2")]
    public void No_follow_up_is_reported_when_the_next_line_may_belong_to_the_fault(string text) => Assert.Single(Faults(text));

    [Fact]
    public void Redefinitions_are_not_judged_after_a_fault_of_syntax_has_changed_the_tables() =>
        Assert.Equal(["f.toml:1:4: the header should close with ]; found 'x'"], Faults("[a x]\nb = 1\n[[a]]\nb = 1\n[a.c]\n[a]"));

    [Fact]
    public void The_search_for_further_faults_ends_after_twenty() =>
        Assert.Equal(TomlParser.SyntaxFaultsMax, Faults(string.Concat(Enumerable.Repeat("a b\n", 1000))).Count);

    [Theory]
    [InlineData("token = hunter2")]
    [InlineData("token = 12hunter2")]
    [InlineData("token = 2026-08-hunter2")]
    [InlineData("token = \"hunter2")]
    [InlineData("token = \"\\qhunter2\"")]
    [InlineData("token = 'hunter2' 'hunter2'")]
    [InlineData("token = \"hunter2\"\ntoken = \"hunter2\"")]
    [InlineData("token = { hunter2 }")]
    public void No_fault_repeats_a_value_which_may_be_a_secret(string text) =>
        Assert.All(Faults(text), fault => Assert.DoesNotContain("hunter2", fault, StringComparison.Ordinal));

    private static IReadOnlyList<string> Faults(string text) => Faults(Encoding.UTF8.GetBytes(text));

    private static IReadOnlyList<string> Faults(byte[] utf8)
    {
        var document = TomlDocument.Parse(utf8, "f.toml");
        Assert.False(document.Root.IsPresent);
        return [.. document.Faults.All.Select(fault => fault.ToString())];
    }
}
