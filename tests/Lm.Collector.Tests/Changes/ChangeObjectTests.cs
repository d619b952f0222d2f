using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lm.Collector.Changes;
using Lm.TestKit;

namespace Lm.Collector.Tests.Changes;

public sealed class ChangeObjectTests
{
    [Fact]
    public void The_bytes_are_those_of_the_format_page_and_are_read_back()
    {
        ReadOnlyMemory<byte> record = Convert.FromHexString(GoldenFile.ReadHex("change/dashboard-created.v1.hex"));
        var bytes = ChangeObject.Write([record, record]);

        Assert.Equal(GoldenFile.ReadHex("change/object.v1.hex"), Convert.ToHexStringLower(bytes));
        Assert.Null(ChangeObject.TryRead(bytes, out var read));
        Assert.All(read, each => Assert.Equal(record.ToArray(), each.ToArray()));
        Assert.Equal(2, read.Count);
    }

    [Fact]
    public void What_is_written_is_read_and_a_changed_byte_or_a_cut_is_noticed() => Prop.ForAll(
        ArbMap.Default.ArbFor<int[]>(), ArbMap.Default.ArbFor<int>(), static (numbers, place) =>
        {
            var bytes = ChangeObject.Write([.. numbers.Select(static number => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes($"{{\"n\":{number}}}"))]);
            Assert.Null(ChangeObject.TryRead(bytes, out var read));
            Assert.Equal(numbers.Select(static number => $"{{\"n\":{number}}}"), read.Select(static record => Encoding.UTF8.GetString(record.Span)));

            var at = (place & int.MaxValue) % bytes.Length;
            Assert.NotNull(ChangeObject.TryRead(bytes.AsMemory(0, at), out _));
            bytes[at] ^= 1;
            Assert.NotNull(ChangeObject.TryRead(bytes, out _));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_bytes_make_the_reader_throw() => Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), static bytes =>
    {
        Assert.NotNull(ChangeObject.TryRead(bytes, out _));
    }).QuickCheckThrowOnFailure();
}
