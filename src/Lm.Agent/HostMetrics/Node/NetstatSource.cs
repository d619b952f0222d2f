using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>The network stack's counters that dashboards use, from <c>/proc/net/snmp</c>, <c>netstat</c> and <c>snmp6</c>.</summary>
/// <remarks>
/// Source: proc_pid_net(5). The first two have pairs of lines, <c>Ip: Forwarding DefaultTTL</c> and <c>Ip: 1 64</c>; the third has <c>Ip6InReceives 13</c> a line.
/// </remarks>
internal sealed class NetstatSource : IMetricSource, IDisposable
{
    private const int FieldMax = 2048;
    private const int NameBytesMax = 128;

    private readonly KeptFile[] pairs;
    private readonly KeptFile lines;

    // Of every field there is, so that whether it is wanted is asked once.
    private readonly NameTable<Field> fields = new(FieldMax, field => new Field(IsWanted(field)
        ? Metric.Untyped($"node_netstat_{field}", $"The network stack's counter {field}.")
        : null));

    public NetstatSource(ProcFs proc)
    {
        pairs = [new KeptFile(proc, "net/netstat"), new KeptFile(proc, "net/snmp")];
        lines = new KeptFile(proc, "net/snmp6");
    }

    /// <inheritdoc/>
    public string Name => "netstat";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var series = new SeriesOut(sink);
        fields.Begin();
        foreach (var file in pairs)
        {
            var errno = file.Read(out var text);
            if (errno == Libc.NotFound)
            {
                continue;
            }

            if (errno != 0 || !TryAddPairs(ref series, text))
            {
                series.OmittedCount++;
            }
        }

        // No such file where IPv6 is switched off.
        if (lines.Read(out var text6) is var errno6 && errno6 == 0)
        {
            AddLines(ref series, text6);
        }
        else if (errno6 != Libc.NotFound)
        {
            series.OmittedCount++;
        }

        fields.End();
        series.OmittedCount += fields.OmittedCount;
        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Array.ForEach(pairs, file => file.Dispose());
        lines.Dispose();
    }

    private bool TryAddPairs(ref SeriesOut series, ReadOnlySpan<byte> text)
    {
        while (ProcText.TryNextLine(ref text, out var names, out _))
        {
            if (!ProcText.TryNextLine(ref text, out var values, out var isWhole) || !isWhole)
            {
                return false;
            }

            if (!ProcText.TryNextField(ref names, out var protocol) || !ProcText.TryNextField(ref values, out var again)
                || !protocol.SequenceEqual(again) || protocol[^1] != (byte)':')
            {
                return false;
            }

            protocol = protocol[..^1];
            while (ProcText.TryNextField(ref names, out var name))
            {
                if (!ProcText.TryNextField(ref values, out var value))
                {
                    return false;
                }

                Add(ref series, protocol, name, value);
            }
        }

        return true;
    }

    private void AddLines(ref SeriesOut series, ReadOnlySpan<byte> text)
    {
        while (ProcText.TryNextLine(ref text, out var line, out var isWhole))
        {
            if (!isWhole || !ProcText.TryNextField(ref line, out var name) || !ProcText.TryNextField(ref line, out var value))
            {
                series.OmittedCount++;
                continue;
            }

            // The protocol's name ends with its 6: Ip6, Icmp6, Udp6, UdpLite6.
            var six = name.IndexOf((byte)'6');
            if (six >= 0)
            {
                Add(ref series, name[..(six + 1)], name[(six + 1)..], value);
            }
        }
    }

    private void Add(ref SeriesOut series, ReadOnlySpan<byte> protocol, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Span<byte> field = stackalloc byte[NameBytesMax];
        if (protocol.Length + name.Length >= field.Length)
        {
            series.OmittedCount++;
            return;
        }

        protocol.CopyTo(field);
        field[protocol.Length] = (byte)'_';
        name.CopyTo(field[(protocol.Length + 1)..]);
        if (fields.Get(field[..(protocol.Length + 1 + name.Length)])?.Metric is not { } metric)
        {
            return;
        }

        // Tcp's MaxConn is -1, and the only one below zero.
        var isNegative = value.StartsWith("-"u8);
        if (!ProcText.TryParseNumber(isNegative ? value[1..] : value, out var number))
        {
            series.OmittedCount++;
            return;
        }

        series.Add(metric, isNegative ? -(double)number : number);
    }

    private static bool IsWanted(string field)
    {
        var at = field.IndexOf('_', StringComparison.Ordinal);
        var (protocol, name) = (field[..at], field[(at + 1)..]);
        if (name is "InErrors" or "InErrs")
        {
            return true;
        }

        return protocol switch
        {
            "Ip" => name is "Forwarding",
            "Ip6" or "IpExt" => name is "InOctets" or "OutOctets",
            "Icmp" or "Icmp6" => name is "InMsgs" or "OutMsgs",
            "TcpExt" => name is "TCPSynRetrans" or "TCPTimeouts" or "TCPOFOQueue" or "TCPRcvQDrop"
                || name.StartsWith("Listen", StringComparison.Ordinal) || name.StartsWith("Syncookies", StringComparison.Ordinal),
            "Tcp" => name is "ActiveOpens" or "InSegs" or "OutSegs" or "OutRsts" or "PassiveOpens" or "RetransSegs" or "CurrEstab",
            "Udp" or "Udp6" => name is "InDatagrams" or "OutDatagrams" or "NoPorts" or "RcvbufErrors" or "SndbufErrors",
            _ => false,
        };
    }

    private sealed record Field(MetricDescriptor? Metric);
}
