namespace Lm.Agent.HostMetrics.Node;

/// <summary>Asks one filesystem that may hang, on a thread of its own, which is started with the first question.</summary>
/// <param name="path">A path of the filesystem, ending with a NUL.</param>
/// <param name="gone">Called when it is disposed of.</param>
internal sealed class StatWorker(byte[] path, Action gone) : IDisposable
{
    private const int StackBytes = 128 * 1024;

    private readonly object gate = new(); // guards all fields below; waited on, which a Lock cannot be
    private Thread? thread;
    private bool isAsked;
    private bool isAnswered;
    private bool isGood;
    private bool isEnding;
    private StatVfs result;

    /// <summary>Asks, unless an earlier question has no answer yet.</summary>
    public void Ask()
    {
        lock (gate)
        {
            if (thread is null)
            {
                thread = new Thread(Run, StackBytes) { IsBackground = true, Name = "statvfs" };
                thread.Start();
            }

            if (!isAsked)
            {
                (isAsked, isAnswered) = (true, false);
                Monitor.PulseAll(gate);
            }
        }
    }

    /// <summary>Waits for the answer.</summary>
    /// <param name="milliseconds">The longest wait.</param>
    /// <param name="good">Whether the filesystem said its size.</param>
    /// <param name="answer">The answer.</param>
    /// <returns>False when there is no answer yet.</returns>
    public bool TryGet(long milliseconds, out bool good, out StatVfs answer)
    {
        var deadline = Environment.TickCount64 + milliseconds;
        lock (gate)
        {
            while (!isAnswered && deadline - Environment.TickCount64 is > 0 and var left)
            {
                Monitor.Wait(gate, (int)left);
            }

            (good, answer) = (isGood, result);
            return isAnswered;
        }
    }

    /// <summary>Ends the thread, once it has its answer.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            isEnding = true;
            Monitor.PulseAll(gate);
        }

        gone();
    }

    private void Run()
    {
        while (true)
        {
            lock (gate)
            {
                while (!isAsked && !isEnding)
                {
                    Monitor.Wait(gate);
                }

                if (isEnding)
                {
                    return;
                }
            }

            var good = StatVfs.Ask(path, out var answer);
            lock (gate)
            {
                (isGood, result, isAsked, isAnswered) = (good, answer, false, true);
                Monitor.PulseAll(gate);
            }
        }
    }
}
