using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Software RAID, from <c>/proc/mdstat</c>; nothing where the kernel has none.</summary>
/// <remarks>
/// Two lines an array, then one on what it does besides:
/// <code>
/// md0 : active raid1 sdb1[1] sda1[0](F)
///       248896 blocks [2/1] [_U]
///       [=>....]  recovery =  8.5% (16775552/195310144) finish=17.0min speed=259783K/sec
/// </code>
/// </remarks>
internal sealed class MdadmSource(HostRoots roots) : IMetricSource, IDisposable
{
    private const int ArrayMax = 1024;

    private static readonly string[] States = ["active", "check", "inactive", "recovering", "resync"];

    private static readonly MetricDescriptor Disks = Metric.Gauge("node_md_disks", "", "Disks of an array that are active, failed or spare.");
    private static readonly MetricDescriptor DisksRequired = Metric.Gauge("node_md_disks_required", "", "Disks that an array needs to be whole.");
    private static readonly MetricDescriptor Blocks = Metric.Gauge("node_md_blocks", "", "Size of an array, blocks of 1,024 bytes.");
    private static readonly MetricDescriptor BlocksSynced = Metric.Gauge("node_md_blocks_synced", "", "Blocks of an array that are in step.");
    private static readonly MetricDescriptor State = Metric.Gauge("node_md_state", "", "1 for the state that an array is in, 0 for the others.");

    private readonly KeptFile file = new(roots.Proc, "mdstat");
    private readonly NameTable<Raid> arrays = new(ArrayMax, name => new Raid(name));

    /// <inheritdoc/>
    public string Name => "mdadm";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var errno = file.Read(out var text);
        if (errno != 0)
        {
            return SourceOutcome.UnreadableOrNotHere(file, errno);
        }

        var series = new SeriesOut(sink);
        Raid? current = null;
        arrays.Begin();
        while (ProcText.TryNextLine(ref text, out var line, out _))
        {
            if (line.IsEmpty || line.StartsWith("Personalities"u8) || line.StartsWith("unused devices"u8) || line.StartsWith("read_ahead"u8))
            {
                continue;
            }

            if (line[0] is not ((byte)' ' or (byte)'\t'))
            {
                current?.Add(ref series);
                current = Begin(line);
                series.OmittedCount += current is null ? 1 : 0;
                continue;
            }

            current?.TakeLine(line);
        }

        current?.Add(ref series);
        arrays.End();
        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private Raid? Begin(ReadOnlySpan<byte> line)
    {
        if (!ProcText.TryNextField(ref line, out var name) || !ProcText.TryNextField(ref line, out var colon) || !colon.SequenceEqual(":"u8)
            || !ProcText.TryNextField(ref line, out var state) || arrays.Get(name) is not { } raid)
        {
            return null;
        }

        raid.Begin(isActive: state.SequenceEqual("active"u8), line);
        return raid;
    }

    private sealed class Raid(string name)
    {
        private readonly Label[] labels = [new Label("device", name)];
        private readonly Label[] diskLabels =
        [
            new Label("device", name), new Label("state", "active"), new Label("device", name), new Label("state", "failed"),
            new Label("device", name), new Label("state", "spare"),
        ];

        private readonly Label[][] stateLabels = Array.ConvertAll(States, state => new[] { new Label("device", name), new Label("state", state) });
        private string state = "";
        private (ulong Active, ulong Failed, ulong Spare) disks;
        private ulong required;
        private ulong blocks;
        private ulong synced;

        public void Begin(bool isActive, ReadOnlySpan<byte> members)
        {
            state = isActive ? "active" : "inactive";
            (disks, required, blocks, synced) = (default, 0, 0, 0);
            while (ProcText.TryNextField(ref members, out var member))
            {
                // "sda1[0](F)"; the personality and "(read-only)" have no bracket.
                if (member.IndexOf((byte)'[') <= 0)
                {
                    continue;
                }

                if (member.IndexOf("(F)"u8) > 0)
                {
                    disks.Failed++;
                }
                else if (member.IndexOf("(S)"u8) > 0)
                {
                    disks.Spare++;
                }
                else
                {
                    disks.Active++;
                }
            }

            required = disks.Active; // raid0 and linear do not say; [2/1] on the next line does
        }

        public void TakeLine(ReadOnlySpan<byte> line)
        {
            var rest = line;
            if (ProcText.TryNextNumber(ref rest, out var count) && ProcText.TryNextField(ref rest, out var unit) && unit.SequenceEqual("blocks"u8))
            {
                (blocks, synced) = (count, count);
                TakeMembers(rest);
                return;
            }

            if (line.IndexOf("recovery"u8) >= 0 || line.IndexOf("reshape"u8) >= 0)
            {
                state = "recovering";
            }
            else if (line.IndexOf("resync"u8) >= 0)
            {
                state = "resync";
            }
            else if (line.IndexOf("check"u8) >= 0)
            {
                state = "check";
            }
            else
            {
                return; // bitmap: 0/1 pages
            }

            // (16775552/195310144); PENDING and DELAYED say no number, and nothing is in step yet.
            var open = line.IndexOf((byte)'(');
            var slash = open < 0 ? -1 : line[open..].IndexOf((byte)'/');
            synced = slash > 1 && ProcText.TryParseNumber(line.Slice(open + 1, slash - 1), out var done) ? done : 0;
        }

        public void Add(ref SeriesOut series)
        {
            series.Add(Disks, diskLabels.AsSpan(0, 2), disks.Active);
            series.Add(Disks, diskLabels.AsSpan(2, 2), disks.Failed);
            series.Add(Disks, diskLabels.AsSpan(4, 2), disks.Spare);
            series.Add(DisksRequired, labels, required);
            series.Add(Blocks, labels, blocks);
            series.Add(BlocksSynced, labels, synced);
            for (var i = 0; i < States.Length; i++)
            {
                series.Add(State, stateLabels[i], States[i] == state ? 1 : 0);
            }
        }

        // "[2/1]": how many there should be, and how many are.
        private void TakeMembers(ReadOnlySpan<byte> rest)
        {
            while (ProcText.TryNextField(ref rest, out var field))
            {
                var slash = field.IndexOf((byte)'/');
                if (field[0] == (byte)'[' && field[^1] == (byte)']' && slash > 1
                    && ProcText.TryParseNumber(field[1..slash], out var all) && ProcText.TryParseNumber(field[(slash + 1)..^1], out var up))
                {
                    (required, disks.Active) = (all, up);
                    return;
                }
            }
        }
    }
}
