using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>How the kernel steers its clock, and whether it is synchronised.</summary>
/// <remarks>Source: adjtimex(2), asked and not set. The fields stand at the offsets of 64-bit Linux.</remarks>
internal sealed unsafe partial class TimexSource : IMetricSource
{
    private const int StructBytes = 256; // 208 on every 64-bit kernel, and room
    private const int TimeError = 5;
    private const int StatusNano = 0x2000;
    private const int PermissionDenied = 1;

    private const double Million = 1_000_000;
    private const double Billion = 1_000_000_000;
    private const double PartsPerMillion16 = Million * 65_536; // a millionth, with a 16-bit fraction

    private static readonly MetricDescriptor Offset = Metric.Gauge("node_timex_offset_seconds", "seconds", "How far the clock is from the time that it is steered to.");
    private static readonly MetricDescriptor Frequency = Metric.Gauge("node_timex_frequency_adjustment_ratio", "", "How much faster than its hardware the clock runs.");
    private static readonly MetricDescriptor ErrorMax = Metric.Gauge("node_timex_maxerror_seconds", "seconds", "The largest error that the clock may have.");
    private static readonly MetricDescriptor ErrorEstimate = Metric.Gauge("node_timex_estimated_error_seconds", "seconds", "The error that the clock probably has.");
    private static readonly MetricDescriptor Status = Metric.Gauge("node_timex_status", "", "The clock's status bits.");
    private static readonly MetricDescriptor LoopConstant = Metric.Gauge("node_timex_loop_time_constant", "", "The time constant of the loop that steers the clock.");
    private static readonly MetricDescriptor Tick = Metric.Gauge("node_timex_tick_seconds", "seconds", "Time between two ticks of the clock.");
    private static readonly MetricDescriptor PpsFrequency = Metric.Gauge("node_timex_pps_frequency_hertz", "hertz", "Frequency of the pulse-per-second signal.");
    private static readonly MetricDescriptor PpsJitter = Metric.Gauge("node_timex_pps_jitter_seconds", "seconds", "Jitter of the pulse-per-second signal.");
    private static readonly MetricDescriptor PpsShift = Metric.Gauge("node_timex_pps_shift_seconds", "seconds", "Calibration interval of the pulse-per-second signal.");
    private static readonly MetricDescriptor PpsStability = Metric.Gauge("node_timex_pps_stability_hertz", "hertz", "Stability of the pulse-per-second signal.");
    private static readonly MetricDescriptor PpsJitters = Metric.Counter("node_timex_pps_jitter_total", "", "Pulses whose jitter was over the limit.");
    private static readonly MetricDescriptor PpsCalibrations = Metric.Counter("node_timex_pps_calibration_total", "", "Calibration intervals of the pulse-per-second signal.");
    private static readonly MetricDescriptor PpsErrors = Metric.Counter("node_timex_pps_error_total", "", "Calibration intervals that failed.");
    private static readonly MetricDescriptor PpsInstabilities = Metric.Counter("node_timex_pps_stability_exceeded_total", "", "Times that the signal's frequency was not stable.");
    private static readonly MetricDescriptor TaiOffset = Metric.Gauge("node_timex_tai_offset_seconds", "seconds", "How far international atomic time is ahead of the clock, as the kernel was told.");
    private static readonly MetricDescriptor Synchronised = Metric.Gauge("node_timex_sync_status", "", "1 when the clock is synchronised, else 0.");

    private readonly byte[] fields = new byte[StructBytes];

    /// <inheritdoc/>
    public string Name => "timex";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        int state;
        Array.Clear(fields);
        fixed (byte* at = fields)
        {
            state = Adjtimex(at);
        }

        if (state < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            return errno == PermissionDenied ? SourceOutcome.NotHere : SourceOutcome.Unreadable("adjtimex(2)", errno); // a container may forbid the call
        }

        var status = Int32At(40);
        var unit = (status & StatusNano) != 0 ? Billion : Million;
        var series = new SeriesOut(sink);
        series.Add(Offset, Int64At(8) / unit);
        series.Add(Frequency, 1 + (Int64At(16) / PartsPerMillion16));
        series.Add(ErrorMax, Int64At(24) / Million);
        series.Add(ErrorEstimate, Int64At(32) / Million);
        series.Add(Status, status);
        series.Add(LoopConstant, Int64At(48));
        series.Add(Tick, Int64At(88) / Million);
        series.Add(PpsFrequency, Int64At(96) / PartsPerMillion16);
        series.Add(PpsJitter, Int64At(104) / unit);
        series.Add(PpsShift, Int32At(112));
        series.Add(PpsStability, Int64At(120) / PartsPerMillion16);
        series.Add(PpsJitters, Int64At(128));
        series.Add(PpsCalibrations, Int64At(136));
        series.Add(PpsErrors, Int64At(144));
        series.Add(PpsInstabilities, Int64At(152));
        series.Add(TaiOffset, Int32At(160));
        series.Add(Synchronised, state == TimeError ? 0 : 1);
        return series.Outcome;
    }

    private long Int64At(int offset) => BinaryPrimitives.ReadInt64LittleEndian(fields.AsSpan(offset));

    private int Int32At(int offset) => BinaryPrimitives.ReadInt32LittleEndian(fields.AsSpan(offset));

    [LibraryImport("libc", EntryPoint = "adjtimex", SetLastError = true)]
    private static partial int Adjtimex(byte* fields);
}
