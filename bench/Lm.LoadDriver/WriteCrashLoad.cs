using System.Globalization;
using System.Security.Cryptography.X509Certificates;

namespace Lm.LoadDriver;

/// <summary>Senders of remote write that go on while the collector is killed under them.</summary>
/// <remarks>
/// Each request carries one sample of <c>fault_written</c>, whose value is the request's number and whose time follows from it, and as many of
/// <c>fault_written_filler</c> as it is told, of the same time: so a query tells which requests are held, and whether each is held whole.
/// Values of fillers are spread over all bits, so that the spool grows as fast as it can and checkpoints come often.
/// </remarks>
internal sealed class WriteCrashLoad(
    Uri address, X509Certificate2Collection authorities, FaultJournal journal, long baseMillis, int series, TimeProvider time)
{
    private long acknowledged;
    private long failures;

    public async Task<int> RunAsync(SimulatedAgent[] senders, CancellationToken stopping)
    {
        await Task.WhenAll(senders.Select(sender => Task.Run(() => RunSenderAsync(sender, stopping), CancellationToken.None)));
        await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"acked {acknowledged}, failures {failures}"));
        return 0;
    }

    private async Task RunSenderAsync(SimulatedAgent sender, CancellationToken stopping)
    {
        var body = new WriteBody();
        var waiting = new Queue<ulong>(journal.Unacknowledged(sender.Id));
        var next = journal.Highest(sender.Id) + 1;
        IngestConnection? connection = null;
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                if (waiting.Count == 0)
                {
                    journal.Sent(sender.Id, next);
                    waiting.Enqueue(next++);
                }

                try
                {
                    connection ??= await IngestConnection.OpenAsync(address, authorities, stopping);
                    await SendAsync(connection, body, sender, waiting.Peek(), stopping);
                    journal.Acknowledged(sender.Id, waiting.Dequeue());
                    Interlocked.Increment(ref acknowledged);
                }
                catch (Exception e) when (LoadRun.IsConnectionFault(e) || e is LoadException)
                {
                    if (Interlocked.Increment(ref failures) % 1000 == 1 || e is LoadException)
                    {
                        await Console.Error.WriteLineAsync($"{sender.Id}: {e.Message}");
                    }

                    connection?.Dispose();
                    connection = null;
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

    private async Task SendAsync(IngestConnection connection, WriteBody body, SimulatedAgent sender, ulong number, CancellationToken stopping)
    {
        var at = baseMillis + (long)number;
        body.Begin();
        for (var i = 1; i < series; i++)
        {
            body.Add("fault_written_filler", sender.Id, i, at, BitConverter.UInt64BitsToDouble((0x3ff0UL << 48) | ((((number * 31) + (ulong)i) * 0x9E3779B97F4A7C15) >> 12)));
        }

        body.Add("fault_written", sender.Id, 0, at, number);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
        IngestAnswer answer;
        try
        {
            answer = await connection.WriteAsync(sender, body.End(), either.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !stopping.IsCancellationRequested)
        {
            throw new IOException("no answer within 20 s");
        }

        if (answer.Status != 204)
        {
            throw answer.Status is 503
                ? new IOException(answer.Describe())
                : new LoadException($"request {number}: {answer.Describe()}");
        }
    }
}
