using System.Text;
using Lm.Agent.HostMetrics;

namespace Lm.Agent.Tests.HostMetrics;

/// <summary>Single cases of the parsers, each with a form that some kernel writes or no kernel should.</summary>
public sealed class ProcParserTests
{
    [Theory]
    [InlineData("0.20 0.18 0.12 1/80 11206\n", 0.20, 0.18, 0.12)]
    [InlineData("1234.56 0.00 10.01 1/80 11206\n", 1234.56, 0, 10.01)]
    public void Load_averages_are_the_first_three_fields(string text, double one, double five, double fifteen)
    {
        Assert.True(ProcLoadavg.TryParse(Encoding.UTF8.GetBytes(text), out var loads));

        Assert.Equal(new LoadAverages(one, five, fifteen), loads);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0.20")]
    [InlineData("0.20 0.18 0.1")]
    [InlineData("-1.00 0.18 0.12 1/80 1\n")]
    [InlineData("NaN 0.18 0.12 1/80 1\n")]
    [InlineData("1e5 0.18 0.12 1/80 1\n")]
    [InlineData(".5 0.18 0.12 1/80 1\n")]
    [InlineData("5. 0.18 0.12 1/80 1\n")]
    [InlineData("1.2.3 0.18 0.12 1/80 1\n")]
    [InlineData("1234567890123.456 0.18 0.12 1/80 1\n")]
    public void Load_averages_that_are_cut_or_no_numbers_are_refused(string text)
    {
        Assert.False(ProcLoadavg.TryParse(Encoding.UTF8.GetBytes(text), out var loads));

        Assert.Equal(default, loads);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MemTotal: 5 kB\n")]
    [InlineData("MemTotal: 5 kB\nMemFree: 1 kB\nBuffers: 1 kB\n")]
    [InlineData("MemAvailable: 5 kB\n")]
    [InlineData("MemTotal: five kB\nMemAvailable: 5 kB\n")]
    [InlineData("MemTotal: 5\nMemAvailable: 5 kB\n")]
    [InlineData("MemTotal: 5 MB\nMemAvailable: 5 kB\n")]
    [InlineData("MemTotal: 5 kB\nMemAvailable: 5 kB")]
    public void Memory_without_both_numbers_of_kB_is_refused(string text) =>
        Assert.False(ProcMeminfo.TryParse(Encoding.UTF8.GetBytes(text), out _));

    [Theory]
    [InlineData("cpu  1 2 3\n")]
    [InlineData("cpu 1 2 3 x\n")]
    [InlineData("cpu 1 2 3 18446744073709551616\n")]
    [InlineData("cpux 1 2 3 4\n")]
    [InlineData("cpu99999999999 1 2 3 4\n")]
    public void CPU_lines_without_four_numbers_are_malformed(string line)
    {
        ReadOnlySpan<byte> text = Encoding.UTF8.GetBytes(line);

        Assert.Equal(CpuLine.Malformed, ProcStat.TryNextCpu(ref text, out _, out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("intr 5\n")]
    [InlineData("cpu 1 2 3 45")]
    public void CPU_lines_end_at_another_line_or_where_the_text_is_cut(string line)
    {
        ReadOnlySpan<byte> text = Encoding.UTF8.GetBytes(line);

        Assert.Equal(CpuLine.End, ProcStat.TryNextCpu(ref text, out _, out _));
    }

    [Theory]
    [InlineData("btime 1700000000\n", 1700000000)]
    [InlineData("intr 1\nbtime 5\nprocesses 7\n", 5)]
    public void Boot_time_is_found_on_its_line(string text, long expected)
    {
        Assert.True(ProcStat.TryParseBootTime(Encoding.UTF8.GetBytes(text), out var bootTime));

        Assert.Equal(expected, bootTime);
    }

    [Theory]
    [InlineData("")]
    [InlineData("btime 17000")]
    [InlineData("btime x\n")]
    [InlineData("btime 18446744073709551615\n")]
    public void Boot_time_that_is_missing_cut_or_absurd_is_refused(string text) =>
        Assert.False(ProcStat.TryParseBootTime(Encoding.UTF8.GetBytes(text), out _));

    [Theory]
    [InlineData("eth0 1 2 3 4 5 6 7 8 9 10\n")]
    [InlineData("  : 1 2 3 4 5 6 7 8 9 10\n")]
    [InlineData("eth0: 1 2 3 4 5 6 7 8\n")]
    [InlineData("eth0: x 2 3 4 5 6 7 8 9 10\n")]
    [InlineData("eth0: 1 2 3 4 5 6 7 8 -9 10\n")]
    [InlineData("eth0: 1 2 3 4 5 6 7 8 9")]
    public void Interface_lines_without_name_or_counters_are_malformed(string line)
    {
        ReadOnlySpan<byte> text = Encoding.UTF8.GetBytes(line);

        Assert.Equal(NetDevLine.Malformed, ProcNetDev.TryNext(ref text, out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("7 )(")]
    [InlineData("7 (x")]
    [InlineData("7 (x) S 1 2 3")]
    [InlineData("7 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19")]
    public void Process_lines_that_end_early_are_refused(string text) =>
        Assert.False(ProcPidStat.TryParse(Encoding.UTF8.GetBytes(text), out _));

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("tab\there", "tab\uFFFDhere")]
    [InlineData("日本語", "日本語")]
    [InlineData("😀", "😀")]
    public void Label_values_keep_what_can_be_shown(string name, string expected) =>
        Assert.Equal(expected, LabelText.From(Encoding.UTF8.GetBytes(name)));

    [Fact]
    public void Label_values_are_cut_at_64_bytes_between_characters()
    {
        var value = LabelText.From(Encoding.UTF8.GetBytes(new string('日', 30)));

        Assert.Equal(new string('日', 21), value);
    }

    [Theory]
    [InlineData("eth0", 0)]
    [InlineData("bond0", 0)]
    [InlineData("br0", 0)]
    [InlineData("br-0123456789ab", 1)]
    [InlineData("docker0", 1)]
    [InlineData("virbr0", 1)]
    [InlineData("veth0a1b2c3", 2)]
    [InlineData("tun0", 2)]
    [InlineData("tap0", 2)]
    [InlineData("lo", 3)]
    [InlineData("lo2", 0)]
    public void Interfaces_are_ranked_by_their_names(string name, int rank) =>
        Assert.Equal((NetworkRank)rank, NetworkRanks.Of(Encoding.UTF8.GetBytes(name)));
}
