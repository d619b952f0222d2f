using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lm.Agent.HostMetrics;

namespace Lm.Agent.Tests.HostMetrics;

/// <summary>What holds for every input of the parsers.</summary>
public sealed class ParserPropertyTests
{
    // Random bytes seldom get past a parser's first check, so half of the inputs are damaged versions of these.
    private static readonly byte[][] Samples =
    [
        "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\nbtime 1700000000\n"u8.ToArray(),
        "MemTotal:  10 kB\nMemFree:  3 kB\nMemAvailable:  5 kB\nBuffers: 1 kB\nCached: 1 kB\n"u8.ToArray(),
        "0.20 0.18 0.12 1/80 11206\n"u8.ToArray(),
        "Inter-|   Receive |  Transmit\n face |bytes packets|bytes\n  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"u8.ToArray(),
        "812 (a) (b) S 1 812 0 0 -1 5 6 7 8 9 10 11 12 13 20 0 4 0 931 22 23 24\n"u8.ToArray(),
        "1503 912 730 10 0 402 0\n"u8.ToArray(),
    ];

    private static readonly Gen<byte> Bytes = Gen.Choose(0, 255).Select(number => (byte)number);

    private static readonly Gen<byte[]> Damaged =
        from sample in Gen.Elements(Samples)
        from at in Gen.Choose(0, sample.Length - 1)
        from length in Gen.Choose(0, 4)
        from replacement in Gen.OneOf(Bytes, Gen.Elements(" \n:()|.-09"u8.ToArray())).ArrayOf()
        select (byte[])[.. sample[..at], .. replacement.Take(6), .. sample[Math.Min(sample.Length, at + length)..]];

    private static readonly Arbitrary<byte[]> Inputs = Arb.From(Gen.OneOf(Bytes.ArrayOf(), Damaged));

    private static readonly Gen<ulong> Numbers = Gen.OneOf(
        Gen.Choose(0, 1000).Select(number => (ulong)number),
        Gen.Choose(0, int.MaxValue).Select(number => ulong.MaxValue - (ulong)number),
        from high in Gen.Choose(0, int.MaxValue) from low in Gen.Choose(0, int.MaxValue) select ((ulong)high << 32) | (uint)low);

    private static readonly Config ManyRuns = Config.QuickThrowOnFailure.WithMaxTest(20_000);

    [Fact]
    public void No_bytes_make_a_parser_throw_or_run_past_its_text() =>
        Prop.ForAll(Inputs, text =>
        {
            _ = ProcLoadavg.TryParse(text, out _);
            _ = ProcMeminfo.TryParse(text, out _);
            _ = ProcPidStat.TryParse(text, out var stat);
            _ = ProcPidStatm.TryParse(text, out _);
            _ = ProcStat.TryParseBootTime(text, out _);
            var name = LabelText.From(text);
            return stat.Name.Length <= text.Length && Encoding.UTF8.GetByteCount(name) <= LabelText.ValueBytesMax
                && CountCpuLines(text) <= text.Length && CountDevices(text) <= text.Length;
        }).Check(ManyRuns);

    [Fact]
    public void Every_prefix_of_a_text_gives_the_whole_texts_values_or_none()
    {
        foreach (var sample in Samples)
        {
            for (var length = 0; length <= sample.Length; length++)
            {
                var prefix = sample.AsSpan(0, length);
                Assert.True(!ProcLoadavg.TryParse(prefix, out var loads) || sample != Samples[2] || loads == new LoadAverages(0.20, 0.18, 0.12));
                Assert.True(!ProcMeminfo.TryParse(prefix, out var memory) || memory == new MemoryBytes(10 * 1024, 5 * 1024));
                Assert.True(!ProcPidStat.TryParse(prefix, out var stat) || (stat.CpuTicks, stat.StartTicks) == (21, 931));
                Assert.True(!ProcPidStatm.TryParse(prefix, out var pages) || sample != Samples[5] || pages == 912);
                Assert.True(!ProcStat.TryParseBootTime(prefix, out var bootTime) || bootTime == 1_700_000_000);
            }
        }
    }

    [Fact]
    public void CPU_times_are_read_as_they_were_written() =>
        Prop.ForAll(
            Arb.From(from cpu in Gen.Choose(-1, 4096) from columns in Gen.Choose(4, 10) from ticks in Numbers.ArrayOf(columns) select (cpu, ticks)),
            written =>
            {
                var line = $"cpu{(written.cpu < 0 ? " " : written.cpu)} {string.Join(' ', written.ticks)}\n";
                ReadOnlySpan<byte> text = Encoding.UTF8.GetBytes(line);

                Assert.Equal(CpuLine.Good, ProcStat.TryNextCpu(ref text, out var cpu, out var times));

                Assert.Equal(written.cpu, cpu);
                Assert.Equal(written.ticks.Take(ProcStat.ModeCount), ((ReadOnlySpan<ulong>)times.Ticks)[..times.Count].ToArray());
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void Interfaces_are_read_as_they_were_written() =>
        Prop.ForAll(
            Arb.From(
                from name in Gen.Elements("eth0", "eth0:1", "a|b", "enp0s31f6", "x", "wlan0.100", "face|bytes")
                from blank in Gen.Elements("", " ", "    ")
                from numbers in Numbers.ArrayOf(16)
                select (name, blank, numbers)),
            written =>
            {
                ReadOnlySpan<byte> text = Encoding.UTF8.GetBytes($"{written.name,6}:{written.blank}{string.Join("  ", written.numbers)}\n");

                Assert.Equal(NetDevLine.Good, ProcNetDev.TryNext(ref text, out var device));

                Assert.Equal(written.name, Encoding.UTF8.GetString(device.Name));
                Assert.Equal((written.numbers[0], written.numbers[8]), (device.ReceivedBytes, device.SentBytes));
                Assert.Equal(NetDevLine.End, ProcNetDev.TryNext(ref text, out _));
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void Processes_are_read_as_they_were_written_whatever_their_names() =>
        Prop.ForAll(
            Arb.From(
                from name in Gen.OneOf(Bytes, Gen.Elements(" ()\n"u8.ToArray())).ArrayOf()
                from user in Gen.Choose(0, int.MaxValue)
                from system in Gen.Choose(0, int.MaxValue)
                from start in Numbers
                select (name, user, system, start)),
            written =>
            {
                byte[] text =
                [
                    .. "7 ("u8, .. written.name, .. ") "u8,
                    .. Encoding.UTF8.GetBytes($"S 1 7 7 0 -1 4194560 1 2 3 4 {written.user} {written.system} 0 0 20 -5 1 0 {written.start} 10000 55 18446744073709551615 0\n"),
                ];

                Assert.True(ProcPidStat.TryParse(text, out var stat));

                Assert.Equal(written.name, stat.Name.ToArray());
                Assert.Equal(((ulong)written.user + (ulong)written.system, written.start), (stat.CpuTicks, stat.StartTicks));
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));

    [Fact]
    public void Decimals_are_the_doubles_that_the_framework_reads() =>
        Prop.ForAll(
            Arb.From(from whole in Gen.Choose(0, 99_999_999) from digits in Gen.Choose(1, 7) from part in Gen.Choose(0, 9_999_999) select (whole, digits, part)),
            written =>
            {
                var fraction = written.part.ToString("D7", CultureInfo.InvariantCulture)[..written.digits];
                var text = $"{written.whole}.{fraction}";

                Assert.True(ProcText.TryParseDecimal(Encoding.UTF8.GetBytes(text), out var number));

                Assert.Equal(double.Parse(text, CultureInfo.InvariantCulture), number);
            }).Check(ManyRuns);

    private static int CountCpuLines(ReadOnlySpan<byte> text)
    {
        var count = 0;
        while (ProcStat.TryNextCpu(ref text, out _, out _) != CpuLine.End)
        {
            count++;
        }

        return count;
    }

    private static int CountDevices(ReadOnlySpan<byte> text)
    {
        var count = 0;
        ProcNetDev.TrySkipHeadings(ref text);
        while (ProcNetDev.TryNext(ref text, out _) != NetDevLine.End)
        {
            count++;
        }

        return count;
    }
}
