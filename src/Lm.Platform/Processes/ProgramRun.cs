using System.Runtime.InteropServices;
using System.Text;
using Lm.Platform.Files;

namespace Lm.Platform.Processes;

/// <summary>A program that ran to its end, or was ended.</summary>
/// <remarks>Whatever it does, no more than <see cref="ProgramStart.OutputBytesMax"/> bytes are held, the run ends soon after its time-out, and nothing that it started
/// in its process group outlives it; nor what left the group, where <see cref="Strays.Adopt"/> was called. Standard output that a process left behind keeps open is not waited for.</remarks>
public sealed class ProgramRun
{
    private const int ErrorBytesMax = 512;
    private const int ChunkBytes = 16 << 10;

    // How soon it is seen that a program has ended whose output others keep open.
    private const int StepMs = 50;

    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(1);

    private readonly ProgramStart start;
    private string errors = "";

    private ProgramRun(ProgramStart start) => this.start = start;

    /// <summary>What it wrote to its standard output, cut at the limit.</summary>
    public ReadOnlyMemory<byte> Output { get; private set; }

    /// <summary>Whether it wrote more than the limit and was killed for that.</summary>
    public bool IsFlooding { get; private set; }

    /// <summary>Whether it was killed because its time was over.</summary>
    public bool HasTimedOut { get; private set; }

    /// <summary>The error number when it could not be started; else 0.</summary>
    public int StartError { get; private set; }

    /// <summary>How it ended; a code of -1 when it could not be started.</summary>
    public ChildEnd End { get; private set; } = new(-1, 0);

    /// <summary>How long it ran.</summary>
    public TimeSpan Duration { get; private set; }

    /// <summary>Processes outside its group that it left behind and that were ended.</summary>
    public int StrayCount { get; private set; }

    /// <summary>Whether it ended by itself, with exit code 0.</summary>
    public bool IsGood => StartError == 0 && !HasTimedOut && !IsFlooding && End is { Code: 0, Signal: 0 };

    /// <summary>Runs a program and waits for its end; blocks the calling thread.</summary>
    /// <param name="start">What to run.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stopping">Ends it at once.</param>
    public static ProgramRun Start(ProgramStart start, TimeProvider time, CancellationToken stopping)
    {
        var run = new ProgramRun(start);
        var began = time.GetTimestamp();
        if (ChildProcess.TryStart(start, out var error) is not { } child)
        {
            run.StartError = error;
            return run;
        }

        using (child)
        {
            run.Output = run.Read(child, time, began, stopping);
            child.Kill(); // also what it left behind in its group, if it has ended itself
            run.End = child.WaitForEnd(EndPatience);
            run.Duration = time.GetElapsedTime(began);
        }

        run.StrayCount = Strays.EndLeftBehind();
        return run;
    }

    /// <summary>How it ended, in words.</summary>
    public string Describe()
    {
        var how = this switch
        {
            { StartError: not 0 } => $"it cannot be started: {Marshal.GetPInvokeErrorMessage(StartError)}",
            { IsFlooding: true } => $"it wrote more than {start.OutputBytesMax} bytes and was killed",
            { HasTimedOut: true } => $"it did not end within {start.Timeout.TotalMilliseconds:0} ms and was killed",
            { End.Signal: not 0 } => $"signal {End.Signal} ended it",
            _ => $"it ended with exit code {End.Code}",
        };
        return errors.Length > 0 ? $"{how}: {errors}" : how;
    }

    private byte[] Read(ChildProcess child, TimeProvider time, long began, CancellationToken stopping)
    {
        Span<byte> said = stackalloc byte[ErrorBytesMax];
        var saidLength = 0;
        var spare = new byte[ErrorBytesMax]; // what does not fit is read and forgotten
        var output = new MemoryStream();
        var chunk = new byte[ChunkBytes];
        while (!stopping.IsCancellationRequested)
        {
            var left = start.Timeout - time.GetElapsedTime(began);
            if (left <= TimeSpan.Zero)
            {
                HasTimedOut = true;
                break;
            }

            var isFull = saidLength == said.Length;
            var count = child.Read(
                chunk, isFull ? spare : said[saidLength..], out var saidCount, (int)Math.Clamp(left.TotalMilliseconds, 1, StepMs));
            saidLength += isFull ? 0 : saidCount;
            if (count > 0)
            {
                IsFlooding = output.Length + count > start.OutputBytesMax;
                output.Write(chunk, 0, (int)Math.Min(count, start.OutputBytesMax - output.Length));
            }

            if (IsFlooding || count < 0 || (count == 0 && saidCount == 0 && child.HasExited()))
            {
                break;
            }
        }

        // One that closed its output goes on in its time.
        while (!HasTimedOut && !IsFlooding && !stopping.IsCancellationRequested && !child.HasExited())
        {
            HasTimedOut = time.GetElapsedTime(began) >= start.Timeout;
            Pause();
        }

        errors = Encoding.UTF8.GetString(said[..saidLength]).ReplaceLineEndings(" ").Trim().TrimEnd('.');
        return output.ToArray();
    }

    private static unsafe void Pause()
    {
        const int PauseMs = 5;
        _ = Libc.Poll(null, 0, PauseMs);
    }
}
