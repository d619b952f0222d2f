using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.LoadDriver;

/// <summary>Sends a fixed number of batches, encoded beforehand, as fast as the answers come: each agent has one connection and one
/// request under way.</summary>
internal sealed class LoadRun(Uri address, X509Certificate2Collection authorities, SimulatedAgent[] agents, int batchesPerAgent, TimeProvider time)
{
    private readonly byte[][][] frames = new byte[agents.Length][][];

    /// <summary>The time that the batches of one run span.</summary>
    public TimeSpan Span => TimeSpan.FromMilliseconds((double)batchesPerAgent * IntervalMs);

    /// <summary>Lines of each batch; 0: batches are heartbeats.</summary>
    public int LogLines { get; init; }

    /// <summary>Every so many batches of an agent one has an alert record; 0: none has.</summary>
    public int AlertEvery { get; init; }

    /// <summary>Whether each line has a stream of its own.</summary>
    public bool IsFlood { get; init; }

    /// <summary>Bytes of the lines of all batches.</summary>
    public long BodyBytes { get; private set; }

    private int IntervalMs => LogLines > 0 ? LogBatch.IntervalMs : HeartbeatBatch.IntervalMs;

    /// <summary>Encodes every batch; frames are kept, so that two servers can be given the same.</summary>
    /// <param name="runsAfter">Runs of the same agents that follow: their batches are the newer ones, as a host's are.</param>
    public LoadRun Encode(int runsAfter = 0)
    {
        var start = UnixMillis.Now(time).Add(-(runsAfter + 1) * Span);
        Parallel.For(0, agents.Length, index =>
        {
            var encoder = new BatchEncoder();
            var logs = LogLines > 0 ? new LogBatch(LogLines, IsFlood) : null;
            frames[index] = new byte[batchesPerAgent][];
            for (var i = 0; i < batchesPerAgent; i++)
            {
                var collected = start.Add(TimeSpan.FromMilliseconds((double)i * IntervalMs));
                frames[index][i] = logs?.Encode(encoder, agents[index], (ulong)i + 1, collected)
                    ?? HeartbeatBatch.Encode(encoder, agents[index], (ulong)i + 1, collected, hasAlert: AlertEvery > 0 && i % AlertEvery == 0);
            }

            lock (frames)
            {
                BodyBytes += logs?.BodyBytes ?? 0;
            }
        });
        return this;
    }

    /// <summary>Sends everything, or what the time allows.</summary>
    /// <param name="target">The server; another than the constructor's gets the same frames.</param>
    /// <param name="pid">The server's process, whose cost is read; 0 for none.</param>
    /// <param name="expectAck">Whether each answer must be an ack that accepts the batch; else status 200 is enough.</param>
    /// <param name="secondsMax">The run ends by then.</param>
    /// <param name="cancellationToken">Ends it at once.</param>
    public async Task<LoadResult> SendAsync(Uri target, int pid, bool expectAck, int secondsMax, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(secondsMax), time);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var connections = new IngestConnection[agents.Length];
        for (var i = 0; i < agents.Length; i++)
        {
            connections[i] = await IngestConnection.OpenAsync(target, authorities, stopping.Token);
        }

        var latencies = new List<long>[agents.Length];
        var cpu = pid > 0 ? ProcessCost.CpuSeconds(pid) : 0;
        var began = Stopwatch.GetTimestamp();
        try
        {
            await Task.WhenAll(Enumerable.Range(0, agents.Length).Select(index =>
                Task.Run(() => SendAllAsync(index, connections[index], latencies[index] = new(batchesPerAgent), expectAck, stopping.Token), stopping.Token)));
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // The time is over: what was answered by now counts.
        }

        var elapsed = Stopwatch.GetElapsedTime(began);
        foreach (var connection in connections)
        {
            connection.Dispose();
        }

        long[] all = [.. latencies.Where(list => list is not null).SelectMany(list => list).Order()];
        return new LoadResult(
            all.Length, elapsed.TotalSeconds, all,
            pid > 0 ? ProcessCost.CpuSeconds(pid) - cpu : double.NaN,
            pid > 0 ? ProcessCost.PeakRssMiB(pid) : double.NaN,
            frames.Sum(list => list.Sum(frame => (long)frame.Length)) / ((double)agents.Length * batchesPerAgent));
    }

    public Task<LoadResult> SendAsync(int pid, int secondsMax, CancellationToken cancellationToken) =>
        SendAsync(address, pid, expectAck: true, secondsMax, cancellationToken);

    private async Task SendAllAsync(int index, IngestConnection connection, List<long> latencies, bool expectAck, CancellationToken stopping)
    {
        for (var i = 0; i < batchesPerAgent; i++)
        {
            var sequence = (ulong)i + 1;
            var began = Stopwatch.GetTimestamp();
            var answer = await connection.SendAsync(agents[index], sequence, sequence, UnixMillis.Now(time), frames[index][i], stopping);
            latencies.Add(Stopwatch.GetTimestamp() - began);
            if (answer.Status != 200)
            {
                throw new LoadException($"{agents[index].Id} batch {sequence}: {answer.Describe()}");
            }

            if (expectAck && !(IngestAck.TryDecode(answer.Body.Span, out var ack) && ack.Frames is [{ Outcome: FrameOutcome.Accepted }]))
            {
                throw new LoadException($"{agents[index].Id} batch {sequence}: the ack does not say that it was accepted");
            }
        }
    }

    /// <summary>Whether this is how a connection fails, as against a fault of this program.</summary>
    public static bool IsConnectionFault(Exception e) => e is IOException or SocketException or AuthenticationException;
}

/// <summary>A server that did not do what the load needs.</summary>
internal sealed class LoadException(string message) : Exception(message);
