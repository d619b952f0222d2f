using Lm.Collector.Listeners;
using Lm.Tsdb.Blocks;
using Lm.Tsdb.Head;

namespace Lm.Collector.Series;

/// <summary>Metrics of head and blocks.</summary>
internal static class SeriesMetrics
{
    /// <summary>Their values now.</summary>
    public static IEnumerable<CollectorMetric> Collect(HeadStatistics head, BlockSet blocks, BlockMaker maker, BlockKeeper keeper, int metricNames)
    {
        yield return new CollectorMetric("lm_collector_series", "Series of the head.", false, "", head.Series);
        yield return new CollectorMetric("lm_collector_samples", "Samples of the head, in memory and in its files.", false, "", head.Samples);
        const string memory = "Memory of the head, by kind.";
        yield return new CollectorMetric("lm_collector_head_memory_bytes", memory, false, "kind=\"series\"", head.SeriesBytes);
        yield return new CollectorMetric("lm_collector_head_memory_bytes", memory, false, "kind=\"open\"", head.OpenBytes);
        yield return new CollectorMetric("lm_collector_head_memory_bytes", memory, false, "kind=\"sealed\"", head.SealedBytes);
        yield return new CollectorMetric("lm_collector_head_memory_bytes", memory, false, "kind=\"rows\"", head.RowBytes);
        yield return new CollectorMetric("lm_collector_head_late_bytes", "Memory of windows that are over and get late samples.", false, "", head.LateBytes);
        yield return new CollectorMetric("lm_collector_head_file_bytes", "Bytes of the head's files.", false, "", head.FileBytes);
        yield return new CollectorMetric("lm_collector_head_windows", "Windows of the head.", false, "", head.Windows);
        yield return new CollectorMetric("lm_collector_head_windows_spilled", "Windows of the head that are in its files only.", false, "", head.WindowsSpilled);
        yield return new CollectorMetric("lm_collector_head_checkpoints_total", "Times that the head made itself durable.", true, "", head.Checkpoints);
        yield return new CollectorMetric("lm_collector_head_spills_total", "Windows that left memory to keep its bound.", true, "", head.Spills);
        yield return new CollectorMetric("lm_collector_chunks_unreadable_total", "Chunks of the head's files that could not be read.", true, "", head.ChunksUnreadable);
        yield return new CollectorMetric("lm_collector_head_files_damaged", "Files of the head that could not be used and were set aside.", false, "", head.FilesSetAside);
        yield return new CollectorMetric("lm_collector_metric_names", "Metric names whose type, unit and help are known.", false, "", metricNames);
        yield return new CollectorMetric("lm_collector_samples_added_total", "Samples stored.", true, "", head.SamplesAdded);
        yield return new CollectorMetric("lm_collector_samples_late_total", "Of the samples stored, those for windows that were over.", true, "", head.SamplesLate);
        yield return new CollectorMetric("lm_collector_samples_repeated_total", "Samples left out because the same value was stored for their time.", true, "", head.SamplesRepeated);
        yield return new CollectorMetric("lm_collector_samples_conflicting_total", "Samples left out because another value was stored for their time.", true, "", head.SamplesConflicting);
        yield return new CollectorMetric("lm_collector_samples_out_of_bounds_total", "Samples left out as too old or too far ahead.", true, "", head.SamplesOutOfBounds);
        yield return new CollectorMetric("lm_collector_blocks", "Blocks.", false, "", blocks.Metas.Count);
        yield return new CollectorMetric("lm_collector_blocks_damaged", "Blocks that cannot be read.", false, "", blocks.Damaged.Count);
        yield return new CollectorMetric("lm_collector_block_bytes", "Bytes of all blocks.", false, "", blocks.SizeBytes);
        yield return new CollectorMetric("lm_collector_blocks_written_total", "Blocks written from the head.", true, "", maker.Written);
        yield return new CollectorMetric("lm_collector_block_failures_total", "Blocks that could not be written or merged, by kind.", true, "kind=\"write\"", maker.Failed);
        yield return new CollectorMetric("lm_collector_block_failures_total", "Blocks that could not be written or merged, by kind.", true, "kind=\"merge\"", keeper.MergesFailed);
        yield return new CollectorMetric("lm_collector_blocks_merged_total", "Merges of blocks.", true, "", keeper.Merged);
        yield return new CollectorMetric("lm_collector_blocks_held", "Blocks older than local_retention_days that stay, because they are not known to be in the object store.", false, "", keeper.Held);
        yield return new CollectorMetric("lm_collector_blocks_expired_total", "Blocks deleted by retention.", true, "", keeper.Expired);
    }
}
