using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.LoadDriver;

/// <summary>Agents that go on sending while the collector is killed under them.</summary>
/// <remarks>
/// Each batch carries one sample of <c>fault_seq</c>, whose value is the batch's sequence, so that a query tells which batches are held.
/// And it carries log lines, each with the batch's ID and its number in it, for the same question to the log store.
/// A batch's bytes follow from its agent and sequence alone: sent again, it is the same batch.
/// A sequence is never used for anything else, also after this program was killed.
/// </remarks>
internal sealed class CrashLoad(
    Uri address, X509Certificate2Collection authorities, FaultJournal journal, long baseMillis, int series, TimeSpan pause, bool forget, TimeProvider time)
{
    /// <summary>Log lines of a batch: more than one, so that a batch of which a part is lost or doubled is told from one that is.</summary>
    public const int LinesPerBatch = 2;

    /// <summary>The lines' label <c>input</c>.</summary>
    public const string LogInput = "fault";

    private static readonly Label[] LogAttributes = [new("input", LogInput)];
    private static readonly MetricDescriptor FaultSeq = new("fault_seq", MetricType.Gauge, "", "The batch's sequence.");
    private static readonly MetricDescriptor Filler = new("fault_filler", MetricType.Gauge, "", "Weight.");
    private static readonly string[] Numbers = [.. Enumerable.Range(0, 2048).Select(number => number.ToString(CultureInfo.InvariantCulture))];

    private long acknowledged;
    private long failures;
    private long resent;
    private long redone;

    public async Task<int> RunAsync(SimulatedAgent[] agents, CancellationToken stopping)
    {
        await Task.WhenAll(agents.Select(agent => Task.Run(() => RunAgentAsync(agent, stopping), CancellationToken.None)));
        await Console.Error.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"acked {acknowledged}, failures {failures}, resent after their ack {resent}, of them taken again {redone}"));
        return redone == 0 ? 0 : 1;
    }

    /// <summary>The text of one of a batch's lines.</summary>
    public static string LineOf(string batch, int number) => string.Create(CultureInfo.InvariantCulture, $"batch {batch} line {number}");

    private async Task RunAgentAsync(SimulatedAgent agent, CancellationToken stopping)
    {
        var encoder = new BatchEncoder();
        var waiting = new Queue<ulong>(journal.Unacknowledged(agent.Id));
        var next = journal.Highest(agent.Id) + 1;
        var last = new Queue<ulong>();      // the two newest acknowledged
        var again = new Queue<ulong>();     // acknowledged ones to be sent once more
        IngestConnection? connection = null;
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                if (waiting.Count == 0)
                {
                    journal.Sent(agent.Id, next);
                    waiting.Enqueue(next++);
                }

                var isAgain = again.Count > 0;
                var sequence = isAgain ? again.Peek() : waiting.Peek();
                try
                {
                    connection ??= await IngestConnection.OpenAsync(address, authorities, stopping);
                    var floor = isAgain ? sequence : Math.Min(waiting.Peek(), last.Count > 0 ? last.Peek() : waiting.Peek());
                    var outcome = await SendAsync(connection, encoder, agent, sequence, floor, stopping);
                    if (isAgain)
                    {
                        again.Dequeue();
                        Interlocked.Increment(ref resent);
                        Interlocked.Add(ref redone, outcome == FrameOutcome.Accepted ? 1 : 0);
                        continue;
                    }

                    journal.Acknowledged(agent.Id, waiting.Dequeue());
                    Interlocked.Increment(ref acknowledged);
                    last.Enqueue(sequence);
                    if (last.Count > 2)
                    {
                        last.Dequeue();
                    }

                    if (pause > TimeSpan.Zero)
                    {
                        await Task.Delay(pause, time, stopping);
                    }
                }
                catch (Exception e) when (LoadRun.IsConnectionFault(e) || e is LoadException)
                {
                    if (Interlocked.Increment(ref failures) % 1000 == 1 || e is LoadException)
                    {
                        await Console.Error.WriteLineAsync($"{agent.Id}: {e.Message}");
                    }

                    connection?.Dispose();
                    connection = null;
                    if (forget)
                    {
                        again = new Queue<ulong>(last);
                    }

                    await Task.Delay(TimeSpan.FromMilliseconds(50), time, stopping);
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The signal to stop: what was sent and not answered is sent again by the next start.
        }
        finally
        {
            connection?.Dispose();
        }
    }

    private async Task<FrameOutcome> SendAsync(
        IngestConnection connection, BatchEncoder encoder, SimulatedAgent agent, ulong sequence, ulong floor, CancellationToken stopping)
    {
        var at = new UnixMillis(baseMillis + (long)sequence);
        encoder.Begin(at, 1000, []);
        encoder.Add(FaultSeq, [], sequence);
        for (var i = 1; i < series; i++)
        {
            encoder.Add(Filler, [new Label("n", Numbers[i])], (sequence * 31) + (ulong)i);
        }

        for (var i = 0; i < LinesPerBatch; i++)
        {
            encoder.AddLog(new LogRecord(at, 9, LineOf(FaultJournal.Id(agent.Id, sequence), i), LogAttributes));
        }

        var frame = encoder.EncodeFrame(new BatchKey(agent.Id, agent.Queue, new SequenceRange(sequence, sequence)));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
        IngestAnswer answer;
        try
        {
            answer = await connection.SendAsync(agent, sequence, floor, UnixMillis.Now(time), frame, either.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !stopping.IsCancellationRequested)
        {
            throw new IOException("no answer within 10 s");
        }

        if (answer.Status != 200)
        {
            throw answer.Status is 503 or 429
                ? new IOException(answer.Describe())
                : new LoadException($"batch {sequence}: {answer.Describe()}");
        }

        return IngestAck.TryDecode(answer.Body.Span, out var ack) && ack.Frames is [{ Outcome: FrameOutcome.Accepted or FrameOutcome.Duplicate } only]
            ? only.Outcome
            : throw new LoadException($"batch {sequence}: status 200 with an ack that does not take it");
    }
}
