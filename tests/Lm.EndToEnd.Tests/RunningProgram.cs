using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Lm.EndToEnd.Tests;

/// <summary>A program under test: its output, its signals, its end. Disposing kills it.</summary>
internal sealed partial class RunningProgram : IAsyncDisposable
{
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly Lock gate = new(); // guards output
    private readonly StringBuilder output = new();
    private readonly TaskCompletionSource outputEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int openStreams = 2;

    private RunningProgram(ProcessStartInfo start)
    {
        process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => process.Id;

    public bool HasEnded => process.HasExited;

    /// <summary>Standard output and error so far, line by line as they came.</summary>
    public string Output
    {
        get
        {
            lock (gate)
            {
                return output.ToString();
            }
        }
    }

    public static RunningProgram Start(string program, params ReadOnlySpan<string> arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return new RunningProgram(start);
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(string program, params string[] arguments)
    {
        await using var running = Start(program, arguments);
        var code = await running.EndAsync();
        return (code, running.Output);
    }

    /// <summary>Waits for the end, and gives the exit code (128 + number for a signal, as shells do).</summary>
    public async Task<int> EndAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(EndsWithin);
        try
        {
            await process.WaitForExitAsync(limit.Token);
            await outputEnded.Task.WaitAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"{process.StartInfo.FileName} did not end within {EndsWithin.TotalSeconds} s; it said:\n{Output}");
        }

        return process.ExitCode;
    }

    public void Signal(Signal signal)
    {
        if (!process.HasExited)
        {
            Assert.Equal(0, Kill(process.Id, (int)signal));
        }
    }

    public async Task<int> StopAsync(Signal signal)
    {
        Signal(signal);
        return await EndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }

        process.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            if (Interlocked.Decrement(ref openStreams) == 0)
            {
                outputEnded.TrySetResult();
            }

            return;
        }

        lock (gate)
        {
            output.AppendLine(line);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}

/// <summary>Signals by their numbers on Linux.</summary>
internal enum Signal
{
    Hangup = 1,
    Interrupt = 2,
    Kill = 9,
    Terminate = 15,
    Resume = 18,
    Pause = 19,
}
