using Lm.Protocol;

namespace Lm.Agent.HostMetrics;

/// <summary>Bytes received and sent by network interfaces: of four, chosen by <see cref="NetworkRank"/> and then by name.</summary>
/// <remarks>An interface that the file names twice is taken once. It shows the agent's own network namespace.</remarks>
internal sealed class NetworkSource(ProcFs proc) : IMetricSource
{
    /// <summary>Interfaces with series.</summary>
    public const int DeviceMax = 4;

    private static readonly MetricDescriptor Received = new("node_network_receive_bytes_total", MetricType.Counter, "bytes",
        "Bytes that a network interface has received; of at most four interfaces.");

    private static readonly MetricDescriptor Sent = new("node_network_transmit_bytes_total", MetricType.Counter, "bytes",
        "Bytes that a network interface has sent; of at most four interfaces.");

    private readonly string fileName = proc.NameOf("net/dev"u8);
    private readonly Device[] chosen = new Device[DeviceMax]; // in their order
    private readonly DeviceLabels[] labels = NewLabels(); // of the interface in the same place at the last tick
    private int chosenCount;

    /// <inheritdoc/>
    public string Name => "network";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var errno = proc.ReadWhole("net/dev"u8, out var text);
        if (errno != 0)
        {
            return SourceOutcome.Unreadable(fileName, errno);
        }

        if (!ProcNetDev.TrySkipHeadings(ref text) || !TryChoose(text))
        {
            return SourceOutcome.Malformed(fileName, "two lines of headings, then lines of an interface's name, a colon and its counters");
        }

        return Add(sink);
    }

    private static DeviceLabels[] NewLabels()
    {
        var labels = new DeviceLabels[DeviceMax];
        for (var i = 0; i < labels.Length; i++)
        {
            labels[i] = new DeviceLabels();
        }

        return labels;
    }

    private SourceOutcome Add(ISampleSink sink)
    {
        var count = 0;
        for (var i = 0; i < chosenCount; i++)
        {
            labels[i].SetName(chosen[i].Name.Bytes);
            if (IsRepeated(i))
            {
                continue;
            }

            sink.Add(Received, labels[i].Span, chosen[i].ReceivedBytes);
            sink.Add(Sent, labels[i].Span, chosen[i].SentBytes);
            count += 2;
        }

        return SourceOutcome.Added(count);
    }

    // Names that differ only in bytes that are not UTF-8 have one label value; two series may not have the same labels.
    private bool IsRepeated(int place)
    {
        for (var i = 0; i < place; i++)
        {
            if (labels[i].Span[0] == labels[place].Span[0])
            {
                return true;
            }
        }

        return false;
    }

    private bool TryChoose(ReadOnlySpan<byte> text)
    {
        chosenCount = 0;
        while (true)
        {
            switch (ProcNetDev.TryNext(ref text, out var device))
            {
                case NetDevLine.Good:
                    Offer(device);
                    break;
                case NetDevLine.End:
                    return true;
                default:
                    return false;
            }
        }
    }

    private void Offer(in NetDevCounters counters)
    {
        var device = new Device
        {
            Rank = NetworkRanks.Of(counters.Name),
            Name = new KernelName(counters.Name),
            ReceivedBytes = counters.ReceivedBytes,
            SentBytes = counters.SentBytes,
        };
        var place = 0;
        while (place < chosenCount && Compare(chosen[place], device) < 0)
        {
            place++;
        }

        if (place == DeviceMax || (place < chosenCount && Compare(chosen[place], device) == 0))
        {
            return;
        }

        chosenCount = Math.Min(chosenCount + 1, DeviceMax);
        Array.Copy(chosen, place, chosen, place + 1, chosenCount - place - 1);
        chosen[place] = device;
    }

    private static int Compare(in Device one, in Device other) =>
        one.Rank != other.Rank ? one.Rank - other.Rank : one.Name.Bytes.SequenceCompareTo(other.Name.Bytes);

    /// <summary>A chosen interface.</summary>
    private struct Device
    {
        public NetworkRank Rank;
        public KernelName Name;
        public ulong ReceivedBytes;
        public ulong SentBytes;
    }

    /// <summary>The labels of one place, made anew only when another interface takes it.</summary>
    private sealed class DeviceLabels
    {
        private readonly Label[] labels = new Label[1];
        private KernelName name;

        public ReadOnlySpan<Label> Span => labels;

        public void SetName(ReadOnlySpan<byte> newName)
        {
            if (labels[0].Value is null || !name.Bytes.SequenceEqual(newName))
            {
                name = new KernelName(newName);
                labels[0] = new Label("device", LabelText.From(newName));
            }
        }
    }
}
