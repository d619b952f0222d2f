using Lm.Logs;

namespace Lm.Collector.Query;

/// <summary>No lines: what log queries read until the store of lines is there.</summary>
internal sealed class EmptyLogReader : ILogReader
{
    /// <inheritdoc/>
    public IReadOnlyCollection<LogStream> Streams(long from, long until, CancellationToken cancellationToken) => [];

    /// <inheritdoc/>
    public IEnumerable<T> Read<T>(LogScan scan, Func<ILineStage<T>> stages, LogScanStatistics statistics, CancellationToken cancellationToken) => [];
}
