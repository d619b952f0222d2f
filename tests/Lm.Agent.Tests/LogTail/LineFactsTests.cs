using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lm.Agent.LogTail;
using Lm.Platform;

namespace Lm.Agent.Tests.LogTail;

public sealed class LineFactsTests
{
    private static readonly UnixMillis ReadAt = At("2026-03-04T12:00:00Z");

    [Theory]
    [InlineData("<34>1 2026-03-04T10:15:30.123Z web1 su - ID47 - failed for lonvick", "2026-03-04T10:15:30.123Z", 18)]
    [InlineData("<165>1 2026-03-04T10:15:30.000003-02:00 host app 8710 - - hello", "2026-03-04T12:15:30.000Z", 10, "2026-03-04T12:30:00Z")]
    [InlineData("<0>1 2026-03-04T10:15:30Z host app - - - down", "2026-03-04T10:15:30Z", 21)]
    [InlineData("2026-03-04T10:15:30,250+01:00 INFO started", "2026-03-04T09:15:30.250Z", 9)]
    [InlineData("2026-03-04 10:15:30.5 +0100 [main] WARN x", "2026-03-04T09:15:30.500Z", 13)]
    [InlineData("[2026-03-04T10:15:30Z] level=error msg=x", "2026-03-04T10:15:30Z", 17)]
    [InlineData("2026-03-04T10:15:30Z host app[1]: [debug] x", "2026-03-04T10:15:30Z", 5)]
    [InlineData("2026-03-04T10:15:30Z nothing but an error in a sentence", "2026-03-04T10:15:30Z", 0)]
    [InlineData("2026-03-04T10:15:30Z info as the first word", "2026-03-04T10:15:30Z", 9)]
    [InlineData("2026-03-04T10:15:30Z Error: no such file", "2026-03-04T10:15:30Z", 17)]
    [InlineData("2026-03-04T10:15:30Z info.example.com app: hello", "2026-03-04T10:15:30Z", 0)]
    [InlineData("2026-03-04T10:15:30Z error [INFO] the one that is marked", "2026-03-04T10:15:30Z", 9)]
    [InlineData("2026-03-04T10:15:30Z ERRORS INFOX", "2026-03-04T10:15:30Z", 0)]
    [InlineData("{\"time\":\"2026-03-04T10:15:30.5Z\",\"level\":\"warn\",\"msg\":\"x\"}", "2026-03-04T10:15:30.500Z", 13)]
    [InlineData("{\"msg\":{\"level\":\"error\"},\"severity\":\"CRITICAL\",\"ts\":1772619330.25}", "2026-03-04T10:15:30.250Z", 18)]
    [InlineData("{\"timestamp\":1772619330250,\"lvl\":30}", "2026-03-04T10:15:30.250Z", 9)]
    [InlineData("{\"@timestamp\":1772619330250000000,\"level\":3}", "2026-03-04T10:15:30.250Z", 17)]
    [InlineData("{\"level\":\"info\",\"time\":\"2026-03-04T10:15:30Z\",\"msg\":\"cut here", "2026-03-04T10:15:30Z", 9)]
    public void Time_and_severity_are_read_in_the_forms_that_programs_use(string line, string time, int severity, string? readAt = null)
    {
        var facts = new LineFacts();

        facts.Read(Encoding.UTF8.GetBytes(line), readAt is null ? ReadAt : At(readAt), out var found, out var foundSeverity);

        Assert.Equal((At(time), severity), (found, foundSeverity));
    }

    [Theory]
    [InlineData("Mar  4 10:15:30 web1 sshd[1]: Accepted", "2026-03-04T10:15:30", 0)]
    [InlineData("<13>Mar  4 10:15:30 web1 app: WARN is not looked for behind a priority", "2026-03-04T10:15:30", 10)]
    [InlineData("Feb 28 23:59:59 web1 app: ERROR", "2026-02-28T23:59:59", 17)]
    [InlineData("2026-03-04 10:15:30 FATAL", "2026-03-04T10:15:30", 21)]
    public void A_time_without_a_zone_is_the_hosts(string line, string time, int severity)
    {
        var facts = new LineFacts();
        var local = DateTime.Parse(time, CultureInfo.InvariantCulture);

        facts.Read(Encoding.UTF8.GetBytes(line), ReadAt, out var found, out var foundSeverity);

        Assert.Equal((new DateTimeOffset(local, TimeZoneInfo.Local.GetUtcOffset(local)).ToUnixTimeMilliseconds(), severity), (found.Value, foundSeverity));
    }

    [Fact]
    public void A_day_without_a_year_is_the_last_one_of_that_name()
    {
        var facts = new LineFacts();
        var local = new DateTime(2025, 12, 31, 23, 0, 0);

        facts.Read("Dec 31 23:00:00 web1 x"u8, At("2026-01-02T00:00:00Z"), out var found, out _);
        facts.Read("Dec 31 23:00:00 web1 x"u8, At("2026-01-03T00:00:00Z"), out var again, out _);

        var expected = new DateTimeOffset(local, TimeZoneInfo.Local.GetUtcOffset(local)).ToUnixTimeMilliseconds();
        Assert.Equal((expected, expected), (found.Value, again.Value));
    }

    [Theory]
    [InlineData("")]
    [InlineData("plain words")]
    [InlineData("2026-13-04T10:15:30Z no such month")]
    [InlineData("2026-02-30T10:15:30Z no such day")]
    [InlineData("2026-03-04T25:15:30Z no such hour")]
    [InlineData("Feb 29 10:15:30 no such day in 2026")]
    [InlineData("2026-03-04T12:00:02Z two seconds ahead")]
    [InlineData("2026-01-01T00:00:00Z two months ago")]
    [InlineData("{\"time\":\"yesterday\"}")]
    [InlineData("{\"time\":-5}")]
    [InlineData("{not json")]
    [InlineData("<999>x")]
    [InlineData("<")]
    public void A_time_that_is_none_or_not_to_be_believed_leaves_that_of_reading(string line)
    {
        var facts = new LineFacts();

        facts.Read(Encoding.UTF8.GetBytes(line), ReadAt, out var found, out _);

        Assert.Equal(ReadAt, found);
    }

    [Fact]
    public void No_bytes_make_it_throw_or_give_a_severity_that_is_none() =>
        Prop.ForAll(Gen.OneOf(Gen.Choose(0, 255).Select(i => (byte)i).ArrayOf(), Mutations).ToArbitrary(), bytes =>
        {
            new LineFacts().Read(bytes, ReadAt, out var time, out var severity);

            Assert.InRange(severity, 0, 24);
            Assert.InRange(ReadAt.Value - time.Value, -1000, 30L * 24 * 3600 * 1000);
        }).QuickCheckThrowOnFailure();

    private static readonly Gen<byte[]> Mutations =
        from line in Gen.Elements("<34>1 2026-03-04T10:15:30.123Z web1 su", "Mar  4 10:15:30 web1 [error]", "{\"time\":\"2026-03-04T10:15:30.5Z\",\"level\":\"warn\"}", "2026-03-04 10:15:30.5 +0100 WARN")
        from length in Gen.Choose(0, 60)
        from at in Gen.Choose(0, 59)
        from value in Gen.Choose(0, 255)
        select Mutate(line, length, at, (byte)value);

    private static byte[] Mutate(string line, int length, int at, byte value)
    {
        var bytes = Encoding.UTF8.GetBytes(line)[..Math.Min(length, line.Length)];
        if (at < bytes.Length)
        {
            bytes[at] = value;
        }

        return bytes;
    }

    private static UnixMillis At(string time) => new(DateTimeOffset.Parse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUnixTimeMilliseconds());
}
