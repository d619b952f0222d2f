using System.Runtime.ExceptionServices;

namespace Lm.Collector.Landing;

/// <summary>Several things to tidy up, one after the other: one that fails keeps none of the others from their work.</summary>
internal static class TidyRound
{
    /// <summary>Does all of them, and then throws what the first that failed threw.</summary>
    public static async Task RunAsync(IEnumerable<Func<CancellationToken, Task>> tasks, CancellationToken cancellationToken)
    {
        ExceptionDispatchInfo? failure = null;
        foreach (var task in tasks)
        {
            try
            {
                await task(cancellationToken);
            }
            catch (Exception e) when (e is not OutOfMemoryException && !cancellationToken.IsCancellationRequested)
            {
                failure ??= ExceptionDispatchInfo.Capture(e);
            }
        }

        failure?.Throw();
    }
}
