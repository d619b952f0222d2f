using Lm.Platform;
using Lm.Tsdb;

namespace Lm.Collector.Series;

/// <summary>What queries read. The storage engine takes the place of <see cref="MemorySeriesStore"/> behind it.</summary>
internal interface ISeriesStore
{
    /// <summary>The series that match and their samples in a window.</summary>
    /// <param name="range">What to read.</param>
    /// <param name="cancellationToken">Ends a long read early.</param>
    /// <returns>A copy that later writes do not touch; series without a sample in the window are left out; in no particular order.</returns>
    /// <exception cref="SampleLimitException">More than <see cref="SeriesRange.SamplesMax"/> samples would be copied.</exception>
    /// <exception cref="System.Text.RegularExpressions.RegexMatchTimeoutException">An expression took too long for one value.</exception>
    SeriesSelection Select(SeriesRange range, CancellationToken cancellationToken);

    /// <summary>Counters and sizes.</summary>
    SeriesStoreStatistics Statistics();
}

/// <summary>What to read from a store.</summary>
internal sealed record SeriesRange
{
    /// <summary>The conditions; all must hold.</summary>
    public required IReadOnlyList<LabelMatcher> Matchers { get; init; }

    /// <summary>Samples later than this (the time itself is outside, as in Prometheus 3).</summary>
    public required UnixMillis After { get; init; }

    /// <summary>Samples no later than this.</summary>
    public required UnixMillis Until { get; init; }

    /// <summary>How many of each series' samples, the newest first to count; 1 for an instant.</summary>
    public int NewestMax { get; init; } = int.MaxValue;

    /// <summary>How many samples in all.</summary>
    public long SamplesMax { get; init; } = long.MaxValue;
}

/// <summary>A read would copy more samples than allowed.</summary>
internal sealed class SampleLimitException(long samplesMax) : Exception($"the query would touch more than {samplesMax} samples")
{
    /// <summary>The limit.</summary>
    public long SamplesMax { get; } = samplesMax;
}

/// <summary>Sizes and counters of a store.</summary>
internal readonly record struct SeriesStoreStatistics
{
    /// <summary>Series held.</summary>
    public required long Series { get; init; }

    /// <summary>Samples held.</summary>
    public required long Samples { get; init; }

    /// <summary>Memory that the samples take, bytes.</summary>
    public required long SampleBytes { get; init; }

    /// <summary>Metric names with metadata held.</summary>
    public required long Metrics { get; init; }

    /// <summary>Samples taken since start.</summary>
    public required long SamplesAdded { get; init; }

    /// <summary>Samples that were there already with the same value.</summary>
    public required long SamplesRepeated { get; init; }

    /// <summary>Samples left out because another value was there for their time.</summary>
    public required long SamplesConflicting { get; init; }

    /// <summary>Samples forgotten to make room.</summary>
    public required long SamplesEvicted { get; init; }

    /// <summary>Series forgotten to make room, or because all their samples were.</summary>
    public required long SeriesEvicted { get; init; }

    /// <summary>The oldest sample's time; null when there is none.</summary>
    public required UnixMillis? Oldest { get; init; }
}
