using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>What network interfaces are and which state they are in, from <c>/sys/class/net</c>.</summary>
/// <remarks>Source: the kernel's sysfs-class-net. A file that the kernel has no value for now (the carrier of an interface that is down) has no series.</remarks>
internal sealed class NetClassSource(ProcFs sys, NamePatterns names) : IMetricSource, IDisposable
{
    private const int DeviceMax = 20_000;
    private const double BytesOfMegabit = 1000 * 1000 / 8;

    private static readonly MetricDescriptor Up = Metric.Gauge("node_network_up", "", "1 when an interface is up and ready for packets, else 0.");
    private static readonly MetricDescriptor Info = Metric.Gauge("node_network_info", "", "1, with an interface's addresses and state as labels.");

    private static readonly string[] Texts = ["address", "broadcast", "duplex", "ifalias", "operstate"];
    private const int OperationalState = 4; // of the texts

    private static readonly (string File, MetricDescriptor Metric, double Factor)[] Numbers =
    [
        ("addr_assign_type", Metric.Gauge("node_network_address_assign_type", "", "How an interface got its address: 0 its own, 1 random, 2 another's, 3 set."), 1),
        ("carrier", Metric.Gauge("node_network_carrier", "", "1 when an interface has a carrier, else 0."), 1),
        ("carrier_changes", Metric.Counter("node_network_carrier_changes_total", "", "Times that an interface's carrier came or went."), 1),
        ("carrier_down_count", Metric.Counter("node_network_carrier_down_changes_total", "", "Times that an interface's carrier went."), 1),
        ("carrier_up_count", Metric.Counter("node_network_carrier_up_changes_total", "", "Times that an interface's carrier came."), 1),
        ("dev_id", Metric.Gauge("node_network_device_id", "", "Tells interfaces that share one address apart."), 1),
        ("dormant", Metric.Gauge("node_network_dormant", "", "1 when an interface waits for another event before it is up, else 0."), 1),
        ("flags", Metric.Gauge("node_network_flags", "", "An interface's flags as a number."), 1),
        ("ifindex", Metric.Gauge("node_network_iface_id", "", "An interface's number."), 1),
        ("iflink", Metric.Gauge("node_network_iface_link", "", "The number of the interface that an interface is linked to; its own where there is none."), 1),
        ("link_mode", Metric.Gauge("node_network_iface_link_mode", "", "An interface's link mode: 0 default, 1 dormant."), 1),
        ("mtu", Metric.Gauge("node_network_mtu_bytes", "bytes", "The largest packet of an interface."), 1),
        ("name_assign_type", Metric.Gauge("node_network_name_assign_type", "", "How an interface got its name: 1 the kernel's, 2 foreseeable, 3 given, 4 renamed."), 1),
        ("netdev_group", Metric.Gauge("node_network_net_dev_group", "", "The group that an interface belongs to."), 1),
        ("speed", Metric.Gauge("node_network_speed_bytes", "bytes", "An interface's speed in bytes a second; below zero where it has none."), BytesOfMegabit),
        ("tx_queue_len", Metric.Gauge("node_network_transmit_queue_length", "", "Packets that an interface's sending queue holds."), 1),
        ("type", Metric.Gauge("node_network_protocol_type", "", "An interface's hardware type."), 1),
    ];

    private readonly NameTable<Device> devices = new(DeviceMax, name => names.Allows(name) ? new Device(sys, name) : null);

    /// <inheritdoc/>
    public string Name => "netclass";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var errno = sys.Open("class/net"u8, out var directory);
        if (errno != 0)
        {
            return errno == Libc.NotFound ? SourceOutcome.NotHere : SourceOutcome.Unreadable(sys.NameOf("class/net"u8), errno);
        }

        var series = new SeriesOut(sink);
        devices.Begin();
        using (directory)
        {
            while (directory.TryNext(out var name))
            {
                if (devices.Get(name) is { } device)
                {
                    device.Add(ref series);
                }
            }
        }

        devices.End();
        series.OmittedCount += devices.OmittedCount;
        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose() => devices.Dispose();

    private sealed class Device(ProcFs sys, string name) : IDisposable
    {
        private readonly KeptFile[] numbers = Array.ConvertAll(Numbers, number => new KeptFile(sys, $"class/net/{name}/{number.File}", isOneRead: true));
        private readonly KeptFile[] texts = Array.ConvertAll(Texts, text => new KeptFile(sys, $"class/net/{name}/{text}", isOneRead: true));
        private readonly Label[] labels = [new Label("device", name)];
        private readonly TextLabels info = new([new Label("device", name)], Texts);

        public void Add(ref SeriesOut series)
        {
            var isInterface = false;
            var isUp = false;
            for (var i = 0; i < texts.Length; i++)
            {
                var isRead = texts[i].Read(out var text) == 0;
                info.Set(i, isRead ? text : default);
                isInterface |= isRead;
                isUp |= i == OperationalState && text.StartsWith("up"u8);
            }

            if (!isInterface)
            {
                return; // bonding_masters is a file beside the interfaces; or this one went away just now
            }

            series.Add(Up, labels, isUp ? 1 : 0);
            series.Add(Info, info.Span, 1);
            for (var i = 0; i < numbers.Length; i++)
            {
                if (SysNumber.TryRead(numbers[i], out var value))
                {
                    series.Add(Numbers[i].Metric, labels, value * Numbers[i].Factor);
                }
            }
        }

        public void Dispose()
        {
            Array.ForEach(numbers, file => file.Dispose());
            Array.ForEach(texts, file => file.Dispose());
        }
    }
}
