using FsCheck;
using FsCheck.Fluent;
using Lm.Collector.Live;
using Lm.Journal;

namespace Lm.Collector.Tests.Live;

public sealed class LiveIdTests
{
    [Fact]
    public void An_id_is_read_back_as_it_was_written() =>
        Prop.ForAll(ArbMap.Default.ArbFor<(Guid, uint, long, int)>(), given =>
        {
            var (incarnation, segment, offset, which) = given;
            var id = new LiveId(incarnation, new JournalPosition(segment, offset & long.MaxValue), which < 0 ? LiveId.WholeRecord : which);

            Assert.True(LiveId.TryParse(id.ToString(), out var read));
            Assert.Equal(id, read);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("")]
    [InlineData("17")]
    [InlineData("0f8fad5b-d9cb-469f-a165-70867728950e:")]
    [InlineData("0f8fad5b-d9cb-469f-a165-70867728950e:1")]
    [InlineData("0f8fad5b-d9cb-469f-a165-70867728950e:1.2.3.4")]
    [InlineData("0f8fad5b-d9cb-469f-a165-70867728950e:-1.2")]
    [InlineData("0f8fad5b-d9cb-469f-a165-70867728950e:1. 2")]
    [InlineData("nobody:1.2")]
    public void What_is_no_id_is_not_taken_for_one(string text) => Assert.False(LiveId.TryParse(text, out _));
}
