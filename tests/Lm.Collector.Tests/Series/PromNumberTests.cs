using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lm.Collector.Series;

namespace Lm.Collector.Tests.Series;

public sealed class PromNumberTests
{
    [Fact]
    public void Values_are_written_as_a_real_Prometheus_wrote_them()
    {
        var pairs = File.ReadLines(Fixture("prometheus-values.txt")).Where(line => line[0] != '#').Select(line => line.Split(' ')).ToArray();

        Assert.True(pairs.Length >= 1000, $"only {pairs.Length} pairs");
        Assert.Equal(
            pairs.Select(pair => $"{pair[0]} {pair[1]}"),
            pairs.Select(pair => $"{pair[0]} {Format(BitConverter.UInt64BitsToDouble(ulong.Parse(pair[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture)))}"));
    }

    [Theory]
    [InlineData(0.0, "0")]
    [InlineData(-0.0, "-0")]
    [InlineData(1.0, "1")]
    [InlineData(1e6, "1000000")]
    [InlineData(1e15, "1000000000000000")]
    [InlineData(1e16, "10000000000000000")]
    [InlineData(1234567890123456.8, "1234567890123456.8")]
    [InlineData(123456789012345680.0, "123456789012345680")]
    [InlineData(1e20, "100000000000000000000")]
    [InlineData(1e21, "1e+21")]
    [InlineData(-1.5e300, "-1.5e+300")]
    [InlineData(1.7976931348623157e308, "1.7976931348623157e+308")]
    [InlineData(0.1, "0.1")]
    [InlineData(0.1 + 0.2, "0.30000000000000004")]
    [InlineData(1e-5, "0.00001")]
    [InlineData(1.5e-5, "0.000015")]
    [InlineData(1e-6, "0.000001")]
    [InlineData(9.99e-7, "9.99e-07")]
    [InlineData(5e-324, "5e-324")]
    [InlineData(-2.5e-7, "-2.5e-07")]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.PositiveInfinity, "+Inf")]
    [InlineData(double.NegativeInfinity, "-Inf")]
    public void A_value_is_written_as_Go_writes_it(double value, string expected) => Assert.Equal(expected, Format(value));

    [Fact]
    public void Every_written_value_reads_back_as_the_same_bits() => Prop.ForAll<double>(value =>
        double.IsNaN(value) || double.IsInfinity(value)
        || BitConverter.DoubleToInt64Bits(double.Parse(Format(value), CultureInfo.InvariantCulture)) == BitConverter.DoubleToInt64Bits(value))
        .QuickCheckThrowOnFailure();

    [Fact]
    public void Any_bits_are_written_within_the_promised_room_and_read_back() => Prop.ForAll<long>(bits =>
    {
        // Spread over all exponents: FsCheck's own doubles stay near zero.
        var value = BitConverter.Int64BitsToDouble(bits * unchecked((long)0x9E3779B97F4A7C15));
        return double.IsNaN(value) || double.Parse(Format(value), CultureInfo.InvariantCulture).Equals(value);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));

    [Theory]
    [InlineData(1435781451781, "1435781451.781")]
    [InlineData(1435781451000, "1435781451")]
    [InlineData(1435781451100, "1435781451.100")]
    [InlineData(1435781451001, "1435781451.001")]
    [InlineData(-1500, "-1.500")]
    [InlineData(0, "0")]
    [InlineData(long.MinValue, "-9223372036854775.808")]
    public void A_time_is_written_in_seconds(long milliseconds, string expected)
    {
        var text = new byte[PromNumber.BytesMax];
        Assert.Equal(expected, Encoding.ASCII.GetString(text, 0, PromNumber.FormatTime(milliseconds, text)));
    }

    [Theory]
    [InlineData("1435781451.781", 1435781451781)]
    [InlineData("1435781451", 1435781451000)]
    [InlineData("-1", -1000)]
    [InlineData("1e3", 1_000_000)]
    [InlineData("2015-07-01T20:10:51.781Z", 1435781451781)]
    [InlineData("2015-07-01T22:10:51+02:00", 1435781451000)]
    [InlineData("2015-07-01T20:10:51.123456789Z", 1435781451123)]
    [InlineData("2015-07-01T22:10:51.99999999+02:00", 1435781451999)]
    [InlineData("1.0005", 1000)]
    [InlineData("1.0015", 1002)]
    [InlineData("-1.0005", -1000)]
    [InlineData("+5", 5000)]
    [InlineData(".5", 500)]
    [InlineData("1.", 1000)]
    public void A_time_is_read(string text, long expected)
    {
        Assert.True(PromNumber.TryParseTime(text, out var milliseconds));
        Assert.Equal(expected, milliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("now")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("1e300")]
    [InlineData("0x10")]
    [InlineData("1_000")]
    [InlineData(" 5")]
    [InlineData("5 ")]
    [InlineData("2015-07-01T20:10:51.1234567891Z")]
    [InlineData("2015-07-01t20:10:51Z")]
    [InlineData("2015-07-01T22:10:51+0200")]
    [InlineData("2015-07-01T24:00:00Z")]
    [InlineData("2015-07-01")]
    [InlineData("2015-07-01T20:10:51")]
    [InlineData("2015-13-01T20:10:51Z")]
    public void What_is_no_time_is_refused(string text) => Assert.False(PromNumber.TryParseTime(text, out _));

    private static string Fixture(string name, [CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "../../fixtures/numbers", name);

    private static string Format(double value)
    {
        var text = new byte[PromNumber.BytesMax];
        return Encoding.ASCII.GetString(text, 0, PromNumber.FormatValue(value, text));
    }
}
