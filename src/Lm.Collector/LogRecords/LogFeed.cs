using System.Text;
using Lm.Collector.Spool;
using Lm.Logs;
using Lm.Protocol;

namespace Lm.Collector.LogRecords;

/// <summary>Spool → log store: applies the verdict, gives each record its stream, adds its line.</summary>
/// <param name="store">The store.</param>
internal sealed class LogFeed(LogStore store)
{
    private readonly BatchStreams streams = new();
    private readonly LogAttributes attributes = new();

    /// <summary>Takes one batch.</summary>
    /// <exception cref="IOException">There is no room for it: see <see cref="LogStore.EnsureRoom"/>. None of it was taken.</exception>
    public void Apply(AcceptedBatch batch) => Apply(batch, stored: null);

    /// <summary>Takes one batch but for what is stored elsewhere.</summary>
    /// <exception cref="IOException">Not all of it could be taken: see <see cref="LogStore.Append"/>.</exception>
    public void Apply(AcceptedBatch batch, IStoredWindows? stored)
    {
        var logs = batch.Batch.Logs;
        if (logs.Length == 0)
        {
            return;
        }

        store.EnsureRoom();
        streams.Begin(batch.Batch);
        var dropped = batch.Verdict.DroppedLogs;
        var oldest = batch.Verdict.OldestAccepted;
        var identity = new LogIdentity(batch.Batch.Key.QueueId.Value, batch.Batch.Key.Sequences.Start, 0);
        var nextDropped = 0;
        for (var i = 0; i < logs.Length; i++)
        {
            if (nextDropped < dropped.Count && dropped[nextDropped] == i)
            {
                nextDropped++;
            }
            else if (logs[i].Time >= oldest && stored?.HasLine(logs[i].Time.Value, batch.ReceivedAt) != true)
            {
                Append(batch, logs[i], identity with { Index = i });
            }
        }
    }

    private void Append(AcceptedBatch batch, in DecodedLog log, LogIdentity identity)
    {
        var references = batch.Batch.Attributes(log);
        var stream = streams.Of(log);
        var hasName = stream.InputName is null;
        attributes.Clear();
        for (var i = 0; i + 1 < references.Length; i += 2)
        {
            var name = batch.Batch.Symbol(references[i]);
            if (!BatchStreams.IsInput(name))
            {
                attributes.Add(name, batch.Batch.Symbol(references[i + 1]));
                hasName |= BatchStreams.IsInputName(name);
            }
        }

        if (!hasName)
        {
            attributes.Add(Encoding.UTF8.GetBytes(BatchStreams.InputNameAttribute), Encoding.UTF8.GetBytes(stream.InputName!));
        }

        store.Append(new IncomingLine(log.Time.Value, stream.Head, identity, batch.Batch.Body(log), attributes), batch.ReceivedAt);
    }
}
