using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lm.Agent.Exposition;
using Lm.Agent.Gathering;
using Lm.Agent.Programs;
using Lm.Agent.Tests.HostMetrics;
using Lm.Protocol;

namespace Lm.Agent.Tests.Exposition;

public sealed class ExpositionTests
{
    private static readonly Gen<string> Names =
        from first in Gen.Elements("abz_:AZ".ToCharArray())
        from rest in Gen.Elements("abz_:AZ09".ToCharArray()).ArrayOf()
        select first + new string([.. rest.Take(20)]);

    private static readonly Gen<string> Values =
        from parts in Gen.Elements("a", "\\", "\"", "\n", "{", "}", ",", "=", " ", "#", "ä", "\\n", "\t", "😀").ArrayOf()
        select string.Concat(parts.Take(30)) is { Length: > 0 } text ? text : "x";

    private static readonly Gen<double> Numbers = Gen.OneOf(
        Gen.Choose(-1000, 1000).Select(number => (double)number),
        Gen.Elements(double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.MaxValue, double.Epsilon, -0.0, 0.1),
        from bits in Gen.Choose(int.MinValue, int.MaxValue)
        from more in Gen.Choose(int.MinValue, int.MaxValue)
        select BitConverter.Int64BitsToDouble(((long)bits << 32) | (uint)more) is var value && double.IsNaN(value) ? double.NaN : value);

    private static readonly Gen<(string Name, Label[] Labels, double Value)> Series =
        from name in Names
        from names in Names.ArrayOf()
        from values in Values.ArrayOf(8)
        from value in Numbers
            // Names that begin with two underscores are the collector's own, and left out.
        let labels = names.Select(label => label.Replace(':', '_')).Where(label => !label.StartsWith("__", StringComparison.Ordinal)).Distinct()
        select (name, labels.Take(8).Select((label, at) => new Label(label, values[at])).OrderBy(label => label.Name, StringComparer.Ordinal).ToArray(), value);

    private static readonly byte[] Sample = """
        # HELP http_requests_total Requests.
        # TYPE http_requests_total counter
        http_requests_total{code="200",path="/a\"b"} 1027 1395066363000
        rpc_seconds_bucket{le="+Inf"} 3 # {trace_id="x"} 0.5 1.5
        # EOF

        """u8.ToArray();

    [Theory]
    [InlineData("up 1", "up", "", 1)]
    [InlineData("  up\t 1.5e3 1395066363000", "up", "", 1500)]
    [InlineData("up{} 1\r", "up", "", 1)]
    [InlineData("a:b{c=\"d\",} +Inf", "a:b", "c=d", double.PositiveInfinity)]
    [InlineData("a { c = \"d\" , e=\"\\\\ \\\" \\n \\x\" } -inf", "a", "c=d;e=\\ \" \n \\x", double.NegativeInfinity)]
    [InlineData("a{c=\"}\"} -3", "a", "c=}", -3)]
    [InlineData("a{c=\"\"} .5", "a", "", 0.5)]
    [InlineData("a 1 # {id=\"x\"} 5", "a", "", 1)]
    [InlineData("a 1 1.5 # {id=\"x\"} 5", "a", "", 1)]
    public void A_sample_is_taken_apart(string line, string name, string labels, double value)
    {
        var parsed = ExpositionLine.Parse(Encoding.UTF8.GetBytes(line));

        Assert.Equal(ExpositionLineKind.Sample, parsed.Kind);
        Assert.Equal(name, Encoding.UTF8.GetString(parsed.Name));
        Assert.Equal(value, parsed.Value);
        var found = new List<Label>();
        Assert.Equal("", ExpositionLabels.Read(parsed.Labels, found));
        Assert.Equal(labels, string.Join(';', found.Select(label => $"{label.Name}={label.Value}")));
    }

    [Theory]
    [InlineData("1up 1")]
    [InlineData("up")]
    [InlineData("up one")]
    [InlineData("up 0x10")]
    [InlineData("up 1 2 3")]
    [InlineData("up --1")]
    [InlineData("up{a=\"b\" 1")]
    [InlineData("up{a=\"b} 1")]
    [InlineData("<html><body>Not found</body></html>")]
    [InlineData("{\"up\", a=\"b\"} 1")]
    [InlineData("# TYPE 9 gauge")]
    public void What_is_no_sample_is_malformed(string line) =>
        Assert.Equal(ExpositionLineKind.Malformed, ExpositionLine.Parse(Encoding.UTF8.GetBytes(line)).Kind);

    [Theory]
    [InlineData("a=\"b\"c=\"d\"", "no comma")]
    [InlineData("=\"b\"", "no name")]
    [InlineData("9=\"b\"", "no name")]
    [InlineData("a:b=\"b\"", "no name")]
    [InlineData("a=b", "quotes")]
    [InlineData("a=\"b\",a=\"c\"", "twice")]
    [InlineData("a=\"b\\\"", "no closing quote")]
    public void Labels_that_are_none_are_told(string text, string expected) =>
        Assert.Contains(expected, ExpositionLabels.Read(Encoding.UTF8.GetBytes(text), []), StringComparison.Ordinal);

    [Fact]
    public void Labels_beyond_what_a_collector_takes_are_refused()
    {
        var many = string.Join(',', Enumerable.Range(0, 65).Select(i => $"l{i}=\"v\""));

        Assert.Contains("more than 64", ExpositionLabels.Read(Encoding.UTF8.GetBytes(many), []), StringComparison.Ordinal);
        Assert.Contains("longer than 512", ExpositionLabels.Read(Encoding.UTF8.GetBytes($"a=\"{new string('x', 513)}\""), []), StringComparison.Ordinal);
        Assert.Contains("not UTF-8", ExpositionLabels.Read([.. "a=\""u8, 0xFF, (byte)'"'], []), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_written_is_read_back_bit_for_bit() => Prop.ForAll(Arb.From(Series), series =>
    {
        var writer = new ExpositionWriter(null, []);
        writer.Add(new MetricDescriptor(series.Name, MetricType.Counter, "", "A \\ help\ntext."), series.Labels, series.Value);
        var text = new StringBuilder();
        writer.WriteTo(text, withMetadata: true);

        Assert.Equal("", new SeriesTable(new SeriesRules(10, [], [])).Read(Encoding.UTF8.GetBytes(text.ToString()), out var read));

        var sample = Assert.Single(read);
        Assert.Equal((series.Name, MetricType.Counter, "A \\ help\ntext."), (sample.Metric.Name, sample.Metric.Type, sample.Metric.Help));
        Assert.Equal(series.Labels, sample.Labels);
        Assert.Equal(BitConverter.DoubleToInt64Bits(series.Value), BitConverter.DoubleToInt64Bits(sample.Value));
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void No_bytes_make_the_reader_throw_and_a_reading_counts_whole_or_not_at_all()
    {
        var damaged =
            from at in Gen.Choose(0, Sample.Length - 1)
            from length in Gen.Choose(0, 4)
            from replacement in Gen.OneOf(Gen.Choose(0, 255).Select(number => (byte)number), Gen.Elements(" \n{}\"\\,=#".Select(character => (byte)character).ToArray())).ArrayOf()
            select (byte[])[.. Sample[..at], .. replacement.Take(6), .. Sample[Math.Min(Sample.Length, at + length)..]];
        var random = Gen.Choose(0, 255).Select(number => (byte)number).ArrayOf();
        Prop.ForAll(Arb.From(Gen.OneOf(damaged, random)), text =>
        {
            var fault = new SeriesTable(new SeriesRules(100, [], [])).Read(text, out var samples);

            Assert.True(fault.Length == 0 || samples.Length == 0);
            Assert.All(samples, sample => Assert.True(ExpositionLine.IsName(Encoding.UTF8.GetBytes(sample.Metric.Name))));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(20_000));
    }

    [Fact]
    public void Lines_of_a_metric_stand_together_under_its_help_and_type()
    {
        var (a, b) = (new MetricDescriptor("a", MetricType.Gauge, "", "First."), new MetricDescriptor("b", MetricType.Unknown, "", ""));
        var sink = new RecordingSink();
        var writer = new ExpositionWriter(sink, [new Label("site", "lab")]);
        writer.Add(a, [new Label("n", "1")], 1);
        writer.Add(b, [], double.PositiveInfinity);
        writer.Add(a, [new Label("n", "2"), new Label("site", "own")], 0.1);

        var text = new StringBuilder();
        writer.WriteTo(text, withMetadata: true);

        Assert.Equal("# HELP a First.\n# TYPE a gauge\na{n=\"1\",site=\"lab\"} 1\na{n=\"2\",site=\"own\"} 0.1\n# TYPE b untyped\nb{site=\"lab\"} +Inf\n", text.ToString());
        Assert.Equal(3, sink.Order.Count);
    }

    [Theory]
    [InlineData("12.5%", 12.5)]
    [InlineData(" -3e2 ", -300)]
    [InlineData("34C", 34)]
    [InlineData("+7", 7)]
    [InlineData("NaN", double.NaN)]
    public void A_number_may_have_a_unit_behind_it(string text, double expected)
    {
        Assert.True(OutputValue.TryParse(text, out var value));
        Assert.Equal(expected.ToString(CultureInfo.InvariantCulture), value.ToString(CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("n/a")]
    [InlineData("1e999")]
    public void What_is_no_number_is_none(string text) => Assert.False(OutputValue.TryParse(text, out _));
}
