using System.Security.Cryptography.X509Certificates;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.LoadDriver;

/// <summary>Agents that each send a batch at their interval, spread evenly, as a fleet does; over a few connections, for the handshakes of a thousand are another measurement.</summary>
internal sealed class PacedLoad(Uri address, X509Certificate2Collection authorities, SimulatedAgent[] agents, TimeSpan every, int logLines, TimeProvider time)
{
    private const int Connections = 4;

    private long batches;
    private long latestMs;

    /// <summary>Lines that were acknowledged.</summary>
    public long Lines => Interlocked.Read(ref batches) * logLines;

    /// <summary>Batches that were acknowledged.</summary>
    public long Batches => Interlocked.Read(ref batches);

    /// <summary>By how much the latest batch missed its moment.</summary>
    public long LatestMs => Interlocked.Read(ref latestMs);

    /// <summary>Sends until stopped; a batch that is under way is waited for, so that what was sent is known.</summary>
    public Task RunAsync(CancellationToken stopping) =>
        Task.WhenAll(Enumerable.Range(0, Math.Min(Connections, agents.Length)).Select(lane => Task.Run(() => SendAsync(lane, stopping), CancellationToken.None)));

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
                await SendOneAsync(connection, encoder, logs, agents[index], sequence);
            }
        }
    }

    private async Task SendOneAsync(IngestConnection connection, BatchEncoder encoder, LogBatch? logs, SimulatedAgent agent, ulong sequence)
    {
        var now = UnixMillis.Now(time);
        var frame = logs?.Encode(encoder, agent, sequence, now) ?? HeartbeatBatch.Encode(encoder, agent, sequence, now);
        var answer = await connection.SendAsync(agent, sequence, sequence, now, frame, CancellationToken.None);
        if (answer.Status != 200)
        {
            throw new LoadException($"{agent.Id} batch {sequence}: {answer.Describe()}");
        }

        Interlocked.Increment(ref batches);
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
