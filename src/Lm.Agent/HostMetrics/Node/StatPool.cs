namespace Lm.Agent.HostMetrics.Node;

/// <summary>Asks filesystems that may hang for their sizes, on threads of its own.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>A thread is started when there is a question and no thread is free: <see cref="ThreadMax"/> of them, and one more for each that hangs since an earlier tick, up to
/// <see cref="HungMax"/>, as far as the system gives any. Beyond that questions wait, and have no answer; nobody waits for them longer than they say.</item>
/// <item>A thread that hangs in the kernel is left there: it goes on when the kernel does.</item>
/// </list>
/// </remarks>
/// <param name="ask">Asks a filesystem; may never return.</param>
internal sealed class StatPool(StatAsk ask) : IDisposable
{
    /// <summary>Threads while none hangs.</summary>
    public const int ThreadMax = 16;

    /// <summary>Threads at most, those that hang included: each has some 20 KiB, and a unit of systemd as ours is has 64 of them for all.</summary>
    public const int HungMax = 32;

    private const int StackBytes = 128 * 1024;

    private readonly object gate = new(); // guards all that follows and the questions' fields; waited on, which a Lock cannot be
    private readonly Queue<StatQuestion> waiting = new();
    private int threadCount;
    private int idleCount;
    private int hungCount;
    private bool isEnding;

    /// <summary>Asks, unless an earlier question about the same filesystem has no answer yet.</summary>
    public void Ask(StatQuestion question)
    {
        lock (gate)
        {
            if (question.State is StatState.Waiting or StatState.Asked)
            {
                if (question is { State: StatState.Asked, IsHung: false })
                {
                    question.IsHung = true;
                    hungCount++;
                    StartIfNeeded();
                }

                return;
            }

            question.State = StatState.Waiting;
            waiting.Enqueue(question);
            StartIfNeeded();
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>Waits for the answer to the last question.</summary>
    /// <param name="question">The question.</param>
    /// <param name="milliseconds">The longest wait.</param>
    /// <param name="answer">The answer.</param>
    /// <returns>Whether the filesystem said its size; false too when there is no answer yet.</returns>
    public bool TryGet(StatQuestion question, long milliseconds, out StatVfs answer)
    {
        var deadline = Environment.TickCount64 + milliseconds;
        lock (gate)
        {
            while (question.State is StatState.Waiting or StatState.Asked && deadline - Environment.TickCount64 is > 0 and var left)
            {
                Monitor.Wait(gate, (int)left);
            }

            answer = question.Answer;
            return question.State == StatState.Good;
        }
    }

    /// <summary>Nobody asks it any more; a question that waits is forgotten.</summary>
    public void Forget(StatQuestion question)
    {
        lock (gate)
        {
            question.IsForgotten = true;
        }
    }

    /// <summary>Ends the threads, each once it has its answer.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            isEnding = true;
            Monitor.PulseAll(gate);
        }
    }

    // One for each question that no free thread can take.
    private void StartIfNeeded()
    {
        while (waiting.Count > idleCount && threadCount < Math.Min(HungMax, ThreadMax + hungCount))
        {
            try
            {
                new Thread(Run, StackBytes) { IsBackground = true, Name = "statvfs" }.Start();
            }
            catch (Exception failure) when (failure is OutOfMemoryException or ThreadStartException)
            {
                return; // the system has no thread left: those that are here go on
            }

            threadCount++;
            idleCount++;
        }
    }

    private void Run()
    {
        while (TryTake(out var question))
        {
            var isGood = ask(question.Path, out var answer);
            lock (gate)
            {
                (question.State, question.Answer) = (isGood ? StatState.Good : StatState.Bad, answer);
                idleCount++;
                hungCount -= question.IsHung ? 1 : 0;
                question.IsHung = false;
                Monitor.PulseAll(gate);
            }
        }
    }

    private bool TryTake(out StatQuestion question)
    {
        lock (gate)
        {
            while (true)
            {
                // Those that were started because others hung go when these have come back.
                if (isEnding || (waiting.Count == 0 && threadCount > ThreadMax + hungCount))
                {
                    threadCount--;
                    idleCount--;
                    question = null!;
                    return false;
                }

                if (waiting.TryDequeue(out question!))
                {
                    if (question.IsForgotten)
                    {
                        continue;
                    }

                    idleCount--;
                    question.State = StatState.Asked;
                    return true;
                }

                Monitor.Wait(gate);
            }
        }
    }
}

/// <summary>Asks a filesystem for its size.</summary>
/// <param name="path">A path of it, ending with a NUL.</param>
/// <param name="answer">What it says.</param>
/// <returns>False when it says nothing.</returns>
internal delegate bool StatAsk(byte[] path, out StatVfs answer);

/// <summary>A filesystem that is asked again and again. Its state is the pool's.</summary>
/// <param name="path">A path of it, ending with a NUL.</param>
internal sealed class StatQuestion(byte[] path)
{
    public byte[] Path => path;

    public StatState State { get; set; }

    /// <summary>Whether it was asked in an earlier tick and has no answer since.</summary>
    public bool IsHung { get; set; }

    public bool IsForgotten { get; set; }

    public StatVfs Answer { get; set; }
}

/// <summary>What became of a question.</summary>
internal enum StatState
{
    /// <summary>It was never asked.</summary>
    None = 0,

    /// <summary>No thread has taken it.</summary>
    Waiting,

    /// <summary>A thread asks.</summary>
    Asked,

    /// <summary>The filesystem said its size.</summary>
    Good,

    /// <summary>It did not.</summary>
    Bad,
}
