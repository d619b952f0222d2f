using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lm.Collector.Changes;
using Lm.Platform;
using Lm.TestKit;

namespace Lm.Collector.Tests.Changes;

public sealed class ChangeRecordTests
{
    private static readonly Change Example = new()
    {
        Kind = "dashboard",
        Id = "mine",
        At = new UnixMillis(1_767_225_600_000),
        By = "session",
        From = "127.0.0.1",
        Before = null,
        After = "id = \"mine\"\n",
    };

    [Fact]
    public void The_bytes_are_those_of_the_format_page_and_are_read_back()
    {
        var record = ChangeRecord.Write(Example);

        Assert.Equal(GoldenFile.ReadHex("change/dashboard-created.v1.hex"), Convert.ToHexStringLower(record));
        Assert.Null(ChangeRecord.TryRead(record, out var read));
        Assert.Equal(Example, read);
    }

    [Fact]
    public void Every_change_is_read_back_as_it_was() => Prop.ForAll(ArbMap.Default.ArbFor<string?>(), ArbMap.Default.ArbFor<string?>(), (before, after) =>
    {
        // A text of TOML is Unicode; halves of characters never come here.
        var change = Example with { Before = Unicode(before), After = Unicode(after) };
        Assert.Null(ChangeRecord.TryRead(ChangeRecord.Write(change), out var read));
        Assert.Equal(change, read);
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("", "the record is no change: ")]
    [InlineData("[]", "the record is no change: it has no version")]
    [InlineData("{\"version\":2}", "the record is of version 2; this program reads version 1")]
    [InlineData("{\"version\":1,\"kind\":\"x\"}", "the record is no change: ")]
    [InlineData("{\"version\":1,\"kind\":\"x\",\"id\":\"x\",\"at_ms\":\"x\"}", "the record is no change: ")]
    public void Other_bytes_are_refused_with_a_reason(string text, string expected) =>
        Assert.StartsWith(expected, ChangeRecord.TryRead(Encoding.UTF8.GetBytes(text), out _), StringComparison.Ordinal);

    [Fact]
    public void No_bytes_make_the_reader_throw() => Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes =>
    {
        Assert.NotNull(ChangeRecord.TryRead(bytes, out _));
    }).QuickCheckThrowOnFailure();

    private static string? Unicode(string? text) => text is null ? null : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}
