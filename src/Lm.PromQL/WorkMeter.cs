namespace Lm.PromQL;

/// <summary>Counts the operations of one thread, and looks whether its query should end every now and then.</summary>
/// <param name="ending">Ends when the query's time is over or its caller gave up.</param>
internal sealed class WorkMeter(CancellationToken ending)
{
    /// <summary>Operations between two looks at the clock: well below a millisecond's work.</summary>
    private const long WorkBetweenChecks = 50_000;

    private long sinceCheck;

    /// <summary>All operations so far.</summary>
    public long Total { get; private set; }

    /// <summary>Counts operations.</summary>
    /// <exception cref="OperationCanceledException">The query should end.</exception>
    public void Add(long operations)
    {
        Total += operations;
        sinceCheck += operations;
        if (sinceCheck >= WorkBetweenChecks)
        {
            sinceCheck = 0;
            ending.ThrowIfCancellationRequested();
        }
    }
}
