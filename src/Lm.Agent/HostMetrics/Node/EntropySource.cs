using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>The kernel's entropy pool, from <c>/proc/sys/kernel/random</c>.</summary>
internal sealed class EntropySource(ProcFs proc) : IMetricSource, IDisposable
{
    private static readonly MetricDescriptor Available = Metric.Gauge("node_entropy_available_bits", "bits", "Bits of entropy that are there.");
    private static readonly MetricDescriptor PoolSize = Metric.Gauge("node_entropy_pool_size_bits", "bits", "Bits of entropy that the pool holds.");

    private readonly KeptFile available = new(proc, "sys/kernel/random/entropy_avail", isOneRead: true);
    private readonly KeptFile poolSize = new(proc, "sys/kernel/random/poolsize", isOneRead: true);

    /// <inheritdoc/>
    public string Name => "entropy";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var series = new SeriesOut(sink);
        var errno = available.Read(out var text);
        if (errno != 0)
        {
            return SourceOutcome.UnreadableOrNotHere(available, errno);
        }

        if (!ProcText.TryNextNumber(ref text, out var bits))
        {
            return SourceOutcome.Malformed(available.Name, "a number of bits");
        }

        series.Add(Available, bits);
        if (poolSize.Read(out text) == 0 && ProcText.TryNextNumber(ref text, out bits))
        {
            series.Add(PoolSize, bits);
        }
        else
        {
            series.OmittedCount++;
        }

        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        available.Dispose();
        poolSize.Dispose();
    }
}
