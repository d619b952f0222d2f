using System.Globalization;
using System.Text;
using Lm.Collector.Settings;
using Lm.Protocol;
using Lm.Protocol.RemoteWrite;

namespace Lm.Collector.Ingest;

/// <summary>What of a remote-write request is left out, for the answer and the counters. Only made where there is something.</summary>
internal sealed class WriteFaults
{
    private readonly List<Part> parts = [];
    private int samplesTaken;

    private WriteFaults()
    {
    }

    /// <summary>Finds what is left out.</summary>
    /// <param name="write">The request.</param>
    /// <param name="verdict">What was decided about it.</param>
    /// <param name="samples">How many samples are taken.</param>
    /// <param name="settings">The limits.</param>
    /// <returns>Null when nothing is.</returns>
    public static WriteFaults? Find(DecodedWrite write, WriteVerdict verdict, int samples, IngestSettings settings)
    {
        if (verdict.DroppedSeries.Count + verdict.TooOld + verdict.TooNew + write.SeriesBeyond + write.MetadataBeyond + write.Histograms == 0)
        {
            return null;
        }

        var faults = new WriteFaults { samplesTaken = samples };
        faults.AddSeries(write, verdict, settings.RemoteWrite);
        faults.Add(
            write.SeriesBeyond, write.SamplesBeyond, ProblemCode.LimitExceeded, WriteDrop.OverLimit,
            "series behind the first {0} of the request: max_series_per_request is {1}, max_samples_per_batch {2}",
            write.Series.Length, settings.RemoteWrite.SeriesMax, settings.RemoteWrite.SamplesMax);
        faults.Add(
            verdict.TooOld, verdict.TooOld, ProblemCode.TooOld, WriteDrop.TooOld, "samples older than backfill_days, which is {0}", settings.Backfill.TotalDays);
        faults.Add(
            verdict.TooNew, verdict.TooNew, ProblemCode.FutureTimestamp, WriteDrop.TooFarAhead,
            "samples more than max_future_seconds, which is {0}, ahead of the collector's clock", settings.Limits.FutureSecondsMax);
        faults.Add(
            write.Histograms, write.Histograms, ProblemCode.UnsupportedHistogram, WriteDrop.Histogram,
            "native histograms, which are not stored; send_native_histograms: false in the sender's settings keeps them back");
        faults.Add(
            write.MetadataBeyond, 0, ProblemCode.LimitExceeded, WriteDrop.OverLimit,
            "descriptions of metrics without a name, with one of more than {0} bytes, or behind the first {1}", Limits.MetricNameBytesMax, WriteLimits.MetadataMax);
        return faults;
    }

    /// <summary>Counts them.</summary>
    public void Count(IngestMetrics metrics)
    {
        foreach (var part in parts)
        {
            metrics.DropWritten(part.Drop, part.Samples);
        }
    }

    /// <summary>The answer: 400, so that nothing is sent again, and every kind of fault with its count.</summary>
    public WriteRefusal ToRefusal()
    {
        var detail = new StringBuilder("left out: ");
        detail.AppendJoin("; ", parts.Select(static part => part.Text));
        detail.Append(CultureInfo.InvariantCulture, $". The rest is stored ({samplesTaken} samples): do not send it again");
        return new WriteRefusal(400, parts[0].Code, detail.ToString(), IsPartial: true);
    }

    // By the kind of fault; the first series of each kind is named.
    private void AddSeries(DecodedWrite write, WriteVerdict verdict, WriteLimits limits)
    {
        Span<(int Series, int Samples, int First)> kinds = stackalloc (int, int, int)[(int)WriteFault.ReservedJob + 1];
        kinds.Clear();
        foreach (var index in verdict.DroppedSeries)
        {
            ref var kind = ref kinds[(int)write.Series[index].Fault];
            kind = (kind.Series + 1, kind.Samples + write.Series[index].SampleCount, kind.Series == 0 ? index : kind.First);
        }

        for (var fault = WriteFault.None; fault <= WriteFault.ReservedJob; fault++)
        {
            var (series, samples, first) = kinds[(int)fault];
            var (code, drop) = fault switch
            {
                WriteFault.None => (ProblemCode.LimitExceeded, WriteDrop.SeriesBound),
                WriteFault.ReservedJob => (ProblemCode.ReservedJob, WriteDrop.ReservedJob),
                WriteFault.TooManyLabels or WriteFault.LabelNameTooLong or WriteFault.LabelValueTooLong => (ProblemCode.LimitExceeded, WriteDrop.OverLimit),
                _ => (ProblemCode.InvalidLabels, WriteDrop.InvalidLabels),
            };
            if (series > 0)
            {
                var name = RemoteWriteText.Quote(RemoteWriteDecoder.MetricNameOf(write, write.Series[first]));
                var what = fault == WriteFault.None ? "that are new to the collector, which holds as many as its memory allows" : RemoteWriteText.Describe(fault, limits);
                Add(series, samples, code, drop, "series {0}; the first is series {1} of the request, {2}", what, first, name);
            }
        }
    }

    private void Add(int count, int samples, string code, WriteDrop drop, string format, params ReadOnlySpan<object?> arguments)
    {
        if (count > 0)
        {
            parts.Add(new Part(code, drop, samples, count.ToString(CultureInfo.InvariantCulture) + " " + string.Format(CultureInfo.InvariantCulture, format, arguments)));
        }
    }

    private sealed record Part(string Code, WriteDrop Drop, int Samples, string Text);
}

/// <summary>Why samples of remote write are left out, as the counters have it.</summary>
internal enum WriteDrop
{
    /// <summary>Older than backfill_days.</summary>
    TooOld = 0,

    /// <summary>Too far ahead of the collector's clock.</summary>
    TooFarAhead,

    /// <summary>Their series is over a limit.</summary>
    OverLimit,

    /// <summary>Their series' labels are no label set.</summary>
    InvalidLabels,

    /// <summary>Their series has job="lightmetrics".</summary>
    ReservedJob,

    /// <summary>They are native histograms.</summary>
    Histogram,

    /// <summary>Their series is new, and there are as many as there may be.</summary>
    SeriesBound,
}
