namespace Lm.Journal;

/// <summary>Answers the appends of a group that has ended, on the thread pool: a few work items for the whole group in place of one for
/// each append, which would wake a thread each.</summary>
internal sealed class GroupAnswer(PendingAppend[] appends, JournalException? failure) : IThreadPoolWorkItem
{
    // What an appender does next costs some 20 microseconds: a second thread is worth its waking from a few of them on.
    private const int AppendsPerItem = 4;

    private int answered;

    /// <summary>Begins to answer; what the appenders do next runs on the pool's threads, never on the caller's.</summary>
    public void Begin()
    {
        var items = Math.Clamp(appends.Length / AppendsPerItem, 1, Environment.ProcessorCount);
        for (var i = 0; i < items; i++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <inheritdoc/>
    public void Execute()
    {
        for (var i = Interlocked.Increment(ref answered) - 1; i < appends.Length; i = Interlocked.Increment(ref answered) - 1)
        {
            if (failure is null)
            {
                appends[i].SetResult(appends[i].Position);
            }
            else
            {
                appends[i].SetException(failure);
            }
        }
    }
}
