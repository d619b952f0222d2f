using System.Text;
using Lm.Platform.Processes;

namespace Lm.Agent.SystemdJournal;

/// <summary>A running <c>journalctl</c>, read by a thread of its own.</summary>
/// <remarks>
/// Invariants: two chunks are all that is held; while both wait to be taken the thread reads nothing, and journalctl waits for room in its pipe;
/// chunks are taken in order, by one caller at a time; the thread ends with the program, and the program with this.
/// </remarks>
internal sealed class JournalReader : IDisposable
{
    private const int ChunkBytes = 32 << 10;
    private const int ErrorBytesMax = 512;
    private const int StackBytes = 256 << 10;

    // A program that closed its output is about to end.
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(2);

    private readonly ChildProcess child;
    private readonly Thread thread;
    private readonly Action changed;
    private readonly byte[][] chunks = [new byte[ChunkBytes], new byte[ChunkBytes]];
    private readonly int[] lengths = new int[2];
    private readonly SemaphoreSlim free = new(2); // chunks that the thread may fill
    private readonly SemaphoreSlim news = new(0); // released by the thread alone
    private readonly byte[] errors = new byte[ErrorBytesMax]; // written by the thread, read when it has ended
    private int errorCount;
    private int filledCount; // chunks that wait to be taken
    private int takenIndex;
    private int takenCount; // of the chunk that is taken next
    private volatile bool isOver;
    private volatile bool hasEnded;
    private ChildEnd end;

    /// <param name="child">The program, owned from now on.</param>
    /// <param name="changed">Called when it wrote something, and when it ended.</param>
    public JournalReader(ChildProcess child, Action changed)
    {
        (this.child, this.changed) = (child, changed);
        thread = new Thread(Run, StackBytes) { Name = "journal", IsBackground = true };
        thread.Start();
    }

    /// <summary>Whether the program has ended and everything that it wrote was taken.</summary>
    public bool HasEnded => hasEnded && Volatile.Read(ref filledCount) == 0;

    /// <summary>Whether it ended without a complaint.</summary>
    public bool EndedWell => end is { Code: 0, Signal: 0 };

    /// <summary>What it wrote and was not taken yet; empty when that is nothing. Stands until <see cref="Take"/>.</summary>
    public ReadOnlySpan<byte> Peek() => Volatile.Read(ref filledCount) == 0 ? default : chunks[takenIndex].AsSpan(takenCount, lengths[takenIndex] - takenCount);

    /// <summary>Takes bytes that <see cref="Peek"/> showed.</summary>
    public void Take(int count)
    {
        takenCount += count;
        if (takenCount == lengths[takenIndex])
        {
            (takenIndex, takenCount) = (takenIndex ^ 1, 0);
            Interlocked.Decrement(ref filledCount);
            free.Release();
        }
    }

    /// <summary>Waits until there is something to see, or the program has ended.</summary>
    /// <returns>False when neither came in time.</returns>
    public async ValueTask<bool> WaitAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        while (!hasEnded && Volatile.Read(ref filledCount) == 0)
        {
            if (!await news.WaitAsync(patience, cancellationToken))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>How it ended, in words.</summary>
    public string Describe()
    {
        var said = Encoding.UTF8.GetString(errors, 0, errorCount).ReplaceLineEndings(" ").Trim().TrimEnd('.');
        var how = end.Signal != 0 ? $"signal {end.Signal} ended it" : $"it ended with exit code {end.Code}";
        return said.Length > 0 ? $"{how}: {said}" : how;
    }

    public void Dispose()
    {
        isOver = true;
        child.Kill();
        free.Release();
        thread.Join();
        child.Dispose();
        free.Dispose();
        news.Dispose();
    }

    private void Run()
    {
        Span<byte> said = stackalloc byte[ErrorBytesMax];
        var index = 0;
        while (true)
        {
            free.Wait();
            var count = 0;
            while (count == 0 && !isOver)
            {
                count = child.Read(chunks[index], said, out var saidCount);
                Note(said[..saidCount]);
            }

            if (count <= 0)
            {
                break;
            }

            lengths[index] = count;
            index ^= 1;
            Interlocked.Increment(ref filledCount);
            Tell();
        }

        end = child.WaitForEnd(EndPatience);
        hasEnded = true;
        Tell();
    }

    private void Note(ReadOnlySpan<byte> said)
    {
        var part = said[..Math.Min(said.Length, errors.Length - errorCount)];
        part.CopyTo(errors.AsSpan(errorCount));
        errorCount += part.Length;
    }

    private void Tell()
    {
        if (news.CurrentCount == 0)
        {
            news.Release();
        }

        changed();
    }
}
