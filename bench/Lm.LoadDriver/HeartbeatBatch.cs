using System.Globalization;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.LoadDriver;

/// <summary>Batches that look like a host's base heartbeat: 107 series of the same names and labels, values that move as a host's do.</summary>
internal static class HeartbeatBatch
{
    public const int SeriesCount = 107;
    public const int IntervalMs = 15_000;

    private static readonly string[] Modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
    private static readonly string[] Interfaces = ["lo", "eth0", "eth1", "docker0"];
    private static readonly string[] Programs = ["postgres", "java", "nginx", "systemd-journal", "sshd", "containerd", "python3", "bash"];

    private static readonly MetricDescriptor Up = new("lmagent_up", MetricType.Gauge, "", "1 while the agent runs.");
    private static readonly MetricDescriptor HostCpu = Seconds("lightmetrics_host_cpu_seconds_total", "CPU time of the host by mode.");
    private static readonly MetricDescriptor Cpu = Seconds("node_cpu_seconds_total", "CPU time by core and mode.");
    private static readonly MetricDescriptor ProcessCpu = Seconds("lightmetrics_host_process_cpu_seconds_total", "CPU time of a process.");
    private static readonly MetricDescriptor ProcessMemory = Bytes("lightmetrics_host_process_resident_memory_bytes", "Resident memory of a process.");
    private static readonly MetricDescriptor Receive = new("node_network_receive_bytes_total", MetricType.Counter, "bytes", "Bytes received.");
    private static readonly MetricDescriptor Transmit = new("node_network_transmit_bytes_total", MetricType.Counter, "bytes", "Bytes sent.");

    // Series with one value and no labels; with them the count is 64 + 8 + 2 + 3 + 2 + 8 + 2 + 17 + 1 = 107.
    private static readonly MetricDescriptor[] Plain =
    [
        Bytes("node_memory_MemTotal_bytes", "Memory."), Bytes("node_memory_MemAvailable_bytes", "Memory that programs can have."),
        new("node_load1", MetricType.Gauge, "", "Load over one minute."), new("node_load5", MetricType.Gauge, "", "Load over five minutes."),
        new("node_load15", MetricType.Gauge, "", "Load over fifteen minutes."),
        Bytes("lmagent_queue_filesystem_size_bytes", "Size of the queue's file system."),
        Bytes("lmagent_queue_filesystem_avail_bytes", "Room on the queue's file system."),
        Seconds("lmagent_process_cpu_seconds_total", "CPU time of the agent."),
        Bytes("lmagent_process_resident_memory_bytes", "Resident memory of the agent."),
        new("lightmetrics_host_processes_omitted", MetricType.Gauge, "", "Processes beyond the eight largest."),
    ];

    private static readonly string[] Numbers = [.. Enumerable.Range(0, 8).Select(number => number.ToString(CultureInfo.InvariantCulture))];

    /// <summary>One batch as a frame; the result is the caller's own.</summary>
    /// <param name="encoder">Used again and again.</param>
    /// <param name="agent">Whose batch.</param>
    /// <param name="sequence">Its number.</param>
    /// <param name="time">When it was collected.</param>
    /// <param name="hasAlert">Whether it has an alert record, too: the collector keeps the spool's segment for it.</param>
    public static byte[] Encode(BatchEncoder encoder, SimulatedAgent agent, ulong sequence, UnixMillis time, bool hasAlert = false)
    {
        encoder.Begin(time, IntervalMs, [new Label("site", "bench")]);
        encoder.Add(Up, [], 1);
        // Hundredths, as the kernel counts: values that a real host would send, and that compress as such.
        var ticks = sequence * 1500;
        for (var mode = 0; mode < Modes.Length; mode++)
        {
            encoder.Add(HostCpu, [new Label("mode", Modes[mode])], ((ticks * 8) + Noise(sequence, mode)) / 100.0);
            for (var core = 0; core < 8; core++)
            {
                encoder.Add(
                    Cpu, [new Label("cpu", Numbers[core]), new Label("mode", Modes[mode])], (ticks + Noise(sequence, (core * 8) + mode)) / 100.0);
            }
        }

        for (var i = 0; i < Plain.Length; i++)
        {
            encoder.Add(Plain[i], [], Plain[i].Type == MetricType.Counter ? Noise(sequence, i) / 100.0 : Math.Round(Noise(sequence, i) / 100.0, 2));
        }

        for (var i = 0; i < Interfaces.Length; i++)
        {
            encoder.Add(Receive, [new Label("device", Interfaces[i])], (sequence * 120_000) + Noise(sequence, i));
            encoder.Add(Transmit, [new Label("device", Interfaces[i])], (sequence * 80_000) + Noise(sequence, i + 9));
        }

        for (var i = 0; i < Programs.Length; i++)
        {
            Label[] labels = [new("pid", Numbers[i] + "07"), new("start_time", "17" + Numbers[i] + "4321"), new("comm", Programs[i])];
            encoder.Add(ProcessCpu, labels, (ticks + Noise(sequence, i)) / 100.0);
            encoder.Add(ProcessMemory, labels, 4096.0 * Noise(sequence, i + 40));
        }

        if (hasAlert)
        {
            encoder.AddAlert(new AlertRecord(time, 13, "bench", "A record that has no other place than the spool.", []));
        }

        return encoder.EncodeFrame(new BatchKey(agent.Id, agent.Queue, new SequenceRange(sequence, sequence))).ToArray();
    }

    private static MetricDescriptor Seconds(string name, string help) => new(name, MetricType.Counter, "seconds", help);

    private static MetricDescriptor Bytes(string name, string help) => new(name, MetricType.Gauge, "bytes", help);

    // A fixed mix (SplitMix64's): the same batch for the same number, on every run.
    private static uint Noise(ulong sequence, int series)
    {
        var x = (sequence * 0x9E3779B97F4A7C15) + ((ulong)series * 0xBF58476D1CE4E5B9);
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        return (uint)((x >> 40) % 1500);
    }
}
