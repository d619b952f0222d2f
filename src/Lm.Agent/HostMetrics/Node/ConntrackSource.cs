using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Connections that the kernel's packet filter tracks; nothing where it tracks none.</summary>
/// <remarks>Source: nf_conntrack's sysctls, and <c>/proc/net/stat/nf_conntrack</c>: headings, then a line of hexadecimal columns for each CPU.</remarks>
internal sealed class ConntrackSource(ProcFs proc) : IMetricSource, IDisposable
{
    private const int ColumnCount = 17;

    private static readonly MetricDescriptor Entries = Metric.Gauge("node_nf_conntrack_entries", "", "Connections that are tracked now.");
    private static readonly MetricDescriptor EntriesLimit = Metric.Gauge("node_nf_conntrack_entries_limit", "", "Connections that can be tracked.");

    // By column; what has no metric is null.
    private static readonly MetricDescriptor?[] Columns =
    [
        null, // entries, of all CPUs together
        null, // searched, later clashres
        Metric.Gauge("node_nf_conntrack_stat_found", "", "Searches for an entry that found one."),
        null, // new
        Metric.Gauge("node_nf_conntrack_stat_invalid", "", "Packets that cannot be tracked."),
        Metric.Gauge("node_nf_conntrack_stat_ignore", "", "Packets that belong to a connection already."),
        null, // delete
        null, // delete_list, later chainlength
        Metric.Gauge("node_nf_conntrack_stat_insert", "", "Entries that were put into the list."),
        Metric.Gauge("node_nf_conntrack_stat_insert_failed", "", "Entries that were there already when they were to be put into the list."),
        Metric.Gauge("node_nf_conntrack_stat_drop", "", "Packets dropped because tracking them failed."),
        Metric.Gauge("node_nf_conntrack_stat_early_drop", "", "Entries dropped to make room for new ones."),
        null, // icmp_error
        null, // expect_new
        null, // expect_create
        null, // expect_delete
        Metric.Gauge("node_nf_conntrack_stat_search_restart", "", "Searches that began anew because the table was resized."),
    ];

    private readonly KeptFile count = new(proc, "sys/net/netfilter/nf_conntrack_count", isOneRead: true);
    private readonly KeptFile limit = new(proc, "sys/net/netfilter/nf_conntrack_max", isOneRead: true);
    private readonly KeptFile stat = new(proc, "net/stat/nf_conntrack");

    /// <inheritdoc/>
    public string Name => "conntrack";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var errno = count.Read(out var text);
        if (errno != 0)
        {
            return SourceOutcome.UnreadableOrNotHere(count, errno);
        }

        if (!ProcText.TryNextNumber(ref text, out var entries))
        {
            return SourceOutcome.Malformed(count.Name, "a number");
        }

        errno = limit.Read(out text);
        if (errno != 0)
        {
            return SourceOutcome.Unreadable(limit.Name, errno);
        }

        if (!ProcText.TryNextNumber(ref text, out var entriesMax))
        {
            return SourceOutcome.Malformed(limit.Name, "a number");
        }

        var series = new SeriesOut(sink);
        series.Add(Entries, entries);
        series.Add(EntriesLimit, entriesMax);
        errno = stat.Read(out text);
        if (errno == 0)
        {
            AddSums(ref series, text);
        }
        else
        {
            series.OmittedCount += errno == Libc.NotFound ? 0 : 1;
        }

        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        count.Dispose();
        limit.Dispose();
        stat.Dispose();
    }

    private static void AddSums(ref SeriesOut series, ReadOnlySpan<byte> text)
    {
        Span<ulong> sums = stackalloc ulong[ColumnCount];
        sums.Clear();
        _ = ProcText.TryNextLine(ref text, out _, out _);
        while (ProcText.TryNextLine(ref text, out var line, out _))
        {
            for (var column = 0; column < ColumnCount; column++)
            {
                if (!HexText.TryNext(ref line, out var value))
                {
                    series.OmittedCount++; // a kernel with fewer columns
                    return;
                }

                sums[column] += value;
            }
        }

        for (var column = 0; column < ColumnCount; column++)
        {
            if (Columns[column] is { } metric)
            {
                series.Add(metric, sums[column]);
            }
        }
    }
}
