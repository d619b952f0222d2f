using Microsoft.Extensions.Logging;

namespace Lm.Agent.Gathering;

/// <summary>Tells of one target's trouble when it begins and when it ends.</summary>
internal sealed class GatherTrouble(string target, ILogger logger)
{
    private long failedCount;

    /// <summary>Takes the outcome of one reading.</summary>
    /// <param name="fault">What went wrong; empty for nothing.</param>
    public void Note(string fault)
    {
        if (fault.Length > 0)
        {
            if (failedCount++ == 0)
            {
                GatherLog.Failed(logger, target, fault);
            }
        }
        else if (failedCount > 0)
        {
            GatherLog.Recovered(logger, target, failedCount);
            failedCount = 0;
        }
    }
}
