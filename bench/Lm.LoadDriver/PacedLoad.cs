using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.LoadDriver;

/// <summary>Agents that each send a batch at their interval, spread evenly, as a fleet does; over a few connections, for the handshakes of a thousand are another measurement.</summary>
internal sealed class PacedLoad(Uri address, X509Certificate2Collection authorities, SimulatedAgent[] agents, TimeSpan every, int logLines, TimeProvider time)
{
    private const int Connections = 4;

    private readonly List<long>[] latencies = [.. Enumerable.Range(0, Connections).Select(static _ => new List<long>())];
    private long batches;
    private long bytes;
    private long latestMs;

    /// <summary>Lines that were acknowledged.</summary>
    public long Lines => Interlocked.Read(ref batches) * logLines;

    /// <summary>Batches that were acknowledged.</summary>
    public long Batches => Interlocked.Read(ref batches);

    /// <summary>By how much the latest batch missed its moment.</summary>
    public long LatestMs => Interlocked.Read(ref latestMs);

    /// <summary>Sends until stopped; a batch that is under way is waited for, so that what was sent is known.</summary>
    /// <param name="pid">The server's process, whose cost is read; 0 for none.</param>
    /// <param name="stopping">Ends it.</param>
    public async Task<LoadResult> RunAsync(int pid, CancellationToken stopping)
    {
        var cpu = pid > 0 ? ProcessCost.CpuSeconds(pid) : 0;
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Math.Min(Connections, agents.Length)).Select(lane => Task.Run(() => SendAsync(lane, stopping), CancellationToken.None)));
        return new LoadResult(
            Batches, Stopwatch.GetElapsedTime(began).TotalSeconds, [.. latencies.SelectMany(static lane => lane).Order()],
            pid > 0 ? ProcessCost.CpuSeconds(pid) - cpu : double.NaN,
            pid > 0 ? ProcessCost.PeakRssMiB(pid) : double.NaN,
            Batches == 0 ? 0 : (double)bytes / Batches);
    }

    private async Task SendAsync(int lane, CancellationToken stopping)
    {
        using var connection = await IngestConnection.OpenAsync(address, authorities, CancellationToken.None);
        var encoder = new BatchEncoder();
        var logs = logLines > 0 ? new LogBatch(logLines, isFlood: false) : null;
        var began = time.GetTimestamp();
        for (ulong sequence = 1; ; sequence++)
        {
            for (var index = lane; index < agents.Length; index += Connections)
            {
                var due = (every * (sequence - 1)) + (every * index / agents.Length);
                var wait = due - time.GetElapsedTime(began);
                if (wait > TimeSpan.Zero && !await WaitAsync(wait, stopping))
                {
                    return;
                }

                if (stopping.IsCancellationRequested)
                {
                    return;
                }

                Late(-wait);
                await SendOneAsync(lane, connection, encoder, logs, agents[index], sequence);
            }
        }
    }

    private async Task SendOneAsync(int lane, IngestConnection connection, BatchEncoder encoder, LogBatch? logs, SimulatedAgent agent, ulong sequence)
    {
        var now = UnixMillis.Now(time);
        var frame = logs?.Encode(encoder, agent, sequence, now) ?? HeartbeatBatch.Encode(encoder, agent, sequence, now);
        var began = Stopwatch.GetTimestamp();
        var answer = await connection.SendAsync(agent, sequence, sequence, now, frame, CancellationToken.None);
        latencies[lane].Add(Stopwatch.GetTimestamp() - began);
        if (answer.Status != 200)
        {
            throw new LoadException($"{agent.Id} batch {sequence}: {answer.Describe()}");
        }

        Interlocked.Increment(ref batches);
        Interlocked.Add(ref bytes, frame.Length);
    }

    private async Task<bool> WaitAsync(TimeSpan wait, CancellationToken stopping)
    {
        try
        {
            await Task.Delay(wait, time, stopping);
            return true;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return false;
        }
    }

    private void Late(TimeSpan by)
    {
        var ms = (long)by.TotalMilliseconds;
        for (var known = LatestMs; ms > known; known = LatestMs)
        {
            if (Interlocked.CompareExchange(ref latestMs, ms, known) == known)
            {
                return;
            }
        }
    }
}
