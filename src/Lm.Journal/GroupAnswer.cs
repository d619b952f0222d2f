namespace Lm.Journal;

/// <summary>Answers the appends of a group that has ended, on the thread pool.</summary>
/// <remarks>One work item is on the way at a time and sends the next one before it answers: a whole group wakes one thread, not one for each append, and
/// what an appender does next holds nobody up.</remarks>
internal sealed class GroupAnswer(PendingAppend[] appends, JournalException? failure) : IThreadPoolWorkItem
{
    private int answered;

    /// <summary>Begins to answer; what the appenders do next runs on the pool's threads, never on the caller's.</summary>
    public void Begin() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    /// <inheritdoc/>
    public void Execute()
    {
        var append = appends[answered++]; // alone here: the next item comes into being below
        if (answered < appends.Length)
        {
            Begin();
        }

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
