using Lm.Protocol;

namespace Lm.Agent.LogTail;

/// <summary>What a batch of log records may hold.</summary>
/// <param name="RecordsMax">Records; 0 when the collector takes none.</param>
/// <param name="MessageBytesMax">Bytes of a record's body.</param>
/// <param name="BatchBytesMax">Bytes of all.</param>
/// <param name="ValueBytesMax">Bytes of an attribute's value.</param>
internal readonly record struct LogLimits(int RecordsMax, int MessageBytesMax, int BatchBytesMax, int ValueBytesMax)
{
    // Large enough to compress well and to cost one sync for thousands of lines; it is held in memory some three times while it is stored.
    private const int BatchBytes = 512 << 10;

    /// <summary>What the agent's settings, the collector's limits and the queue all allow.</summary>
    /// <param name="recordsMax">max_logs_per_batch.</param>
    /// <param name="messageBytesMax">max_log_message_bytes.</param>
    /// <param name="announced">The collector's limits; null before it answered.</param>
    /// <param name="frameBytesMax">The largest frame that the queue takes.</param>
    public static LogLimits Of(int recordsMax, int messageBytesMax, Limits? announced, int frameBytesMax)
    {
        const int FrameOverhead = 1024; // header, agent's name, numbers
        var batchBytes = Math.Min(BatchBytes, frameBytesMax - FrameOverhead);
        batchBytes = announced is null ? batchBytes : Math.Min(batchBytes, Math.Min(announced.BatchBytesMax, announced.BodyBytesMax) - FrameOverhead);
        // A message over the batch's size is a batch of its own as long as the queue takes it. Half: labels and attributes need room, too.
        var longest = (announced is null ? frameBytesMax : Math.Min(frameBytesMax, Math.Min(announced.BatchBytesMax, announced.BodyBytesMax))) / 2;
        return new LogLimits(
            Math.Min(recordsMax, announced?.LogsPerBatchMax ?? recordsMax),
            Math.Min(Math.Min(messageBytesMax, announced?.LogMessageBytesMax ?? messageBytesMax), longest),
            batchBytes,
            announced?.LabelValueBytesMax ?? new Limits().LabelValueBytesMax);
    }
}
