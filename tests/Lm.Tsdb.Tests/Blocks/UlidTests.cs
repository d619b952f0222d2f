using Lm.Platform;
using Lm.TestKit;

namespace Lm.Tsdb.Tests.Blocks;

public sealed class UlidTests
{
    [Theory]
    [InlineData("01ARZ3NDEKTSV4RRFFQ69G5FAV", 1469922850259)] // the specification's example
    [InlineData("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", (1L << 48) - 1)]
    [InlineData("00000000000000000000000000", 0)]
    public void It_has_the_text_and_the_time_of_the_specification(string text, long createdMs)
    {
        Assert.True(Ulid.TryParse(text, out var id));

        Assert.Equal(text, id.ToString());
        Assert.Equal(createdMs, id.CreatedMs);
    }

    [Theory]
    [InlineData("")]
    [InlineData("01ARZ3NDEKTSV4RRFFQ69G5FA")]
    [InlineData("01ARZ3NDEKTSV4RRFFQ69G5FAU")]
    [InlineData("81ARZ3NDEKTSV4RRFFQ69G5FAV")]
    [InlineData("01ARZ3NDEKTSV4RRFFQ69G5FAV.tmp-for-creation")]
    public void Other_texts_are_none(string text) => Assert.False(Ulid.TryParse(text, out _));

    [Fact]
    public void Names_ascend_though_the_clock_steps_back()
    {
        var time = new ManualTime();
        var source = new UlidSource(time);
        var before = source.Next();
        foreach (var step in (int[])[0, 0, 5, -100_000, 0, 3])
        {
            time.JumpWallClock(TimeSpan.FromSeconds(step));
            var next = source.Next();
            Assert.True(next > before, $"{next} is not behind {before}");
            before = next;
        }

        Assert.True(Ulid.TryParse("7ZZZZZZZZZZZZZZZZZZZZZZZZ0", out var seen));
        source.Saw(seen);

        Assert.Equal("7ZZZZZZZZZZZZZZZZZZZZZZZZ1", source.Next().ToString());
    }
}
