using System.Text;
using System.Text.Unicode;
using FsCheck;
using FsCheck.Fluent;
using Lm.Agent.LogTail;

namespace Lm.Agent.Tests.LogTail;

public sealed class LineTextTests
{
    [Fact]
    public void Any_bytes_become_valid_text_no_longer_than_allowed_and_whatever_was_done_is_marked() =>
        Prop.ForAll(Lines.ToArbitrary(), Gen.Choose(64, 100).ToArbitrary(), (line, bytesMax) =>
        {
            var marks = LineMarks.None;

            var body = LineText.Clean(line, bytesMax, ref marks).ToArray();

            Assert.True(Utf8.IsValid(body));
            Assert.InRange(body.Length, 0, bytesMax);
            Assert.Equal(line.Length > bytesMax, marks.HasFlag(LineMarks.Truncated) && line.Length > bytesMax);
            if (marks == LineMarks.None)
            {
                Assert.Equal(line, body);
            }
            else if (marks == LineMarks.Truncated)
            {
                Assert.Equal(line[..body.Length], body);
                Assert.InRange(body.Length, bytesMax - 3, bytesMax);
            }
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("a\0b\u001b[31mred\u0007")]
    [InlineData("<script>alert(1)</script> & \"quotes\"")]
    [InlineData("tabs\tand\u2028separators")]
    [InlineData("")]
    public void Hostile_lines_are_kept_as_they_are(string line)
    {
        var marks = LineMarks.None;

        var body = LineText.Clean(Encoding.UTF8.GetBytes(line), 100, ref marks);

        Assert.Equal((line, LineMarks.None), (Encoding.UTF8.GetString(body), marks));
    }

    [Theory]
    [InlineData("line\r", "line")]
    [InlineData("line\r\r", "line\r")]
    [InlineData("\r", "")]
    [InlineData("a\rb", "a\rb")]
    public void One_carriage_return_at_the_end_belongs_to_the_lines_end(string line, string text) =>
        Assert.Equal(text, Encoding.UTF8.GetString(LineText.WithoutReturn(Encoding.UTF8.GetBytes(line))));

    private static readonly Gen<byte[]> Lines = Gen.OneOf(
        Gen.Choose(0, 255).Select(i => (byte)i).ArrayOf(120),
        Gen.Choose(0, 255).Select(i => (byte)i).ArrayOf(),
        Gen.Elements("a", "\u00e9", "\u20ac", "\ud83d\ude00").ArrayOf(40).Select(parts => Encoding.UTF8.GetBytes(string.Concat(parts))));
}
