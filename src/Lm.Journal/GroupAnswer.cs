namespace Lm.Journal;

/// <summary>Answers the appends of a group that has ended, on the thread pool.</summary>
/// <remarks>One work item for each processor, and each takes the next append until none is left: a group costs the pool a handful of items, not one for
/// each append, and an appender that keeps its thread busy holds up nobody as long as another processor is there.</remarks>
internal sealed class GroupAnswer(PendingAppend[] appends, JournalException? failure) : IThreadPoolWorkItem
{
    private int answered;

    /// <summary>Begins to answer; what the appenders do next runs on the pool's threads, never on the caller's.</summary>
    public void Begin()
    {
        for (var i = 0; i < Environment.ProcessorCount && i < appends.Length; i++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <inheritdoc/>
    public void Execute()
    {
        for (var next = Interlocked.Increment(ref answered); next <= appends.Length; next = Interlocked.Increment(ref answered))
        {
            var append = appends[next - 1];
            if (failure is null)
            {
                append.SetResult(append.Position);
            }
            else
            {
                append.SetException(failure);
            }
        }
    }
}
