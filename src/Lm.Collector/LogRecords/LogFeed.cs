using System.Buffers.Binary;
using System.Text;
using Lm.Collector.Spool;
using Lm.Logs;
using Lm.Protocol;

namespace Lm.Collector.LogRecords;

/// <summary>Spool → log store: applies the verdict, gives each record its stream, adds its line.</summary>
/// <remarks>The usual batch brings lines of the streams that the batch before of its agent brought, under the same labels: they are found by numbers then, and no
/// text is made of them.</remarks>
/// <param name="store">The store.</param>
internal sealed class LogFeed(LogStore store)
{
    /// <summary>The attribute that names the agent's input; it becomes a label.</summary>
    private static readonly byte[] InputAttribute = Encoding.UTF8.GetBytes(LogStream.InputLabel);

    // Streams of all agents: some 40 MB.
    private const int StreamsMax = 65_536;

    private readonly Dictionary<string, AgentStreams> agents = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, StreamHead> ofBatch = []; // by the input's symbol and the severity
    private readonly LogAttributes attributes = new();
    private byte[] key = new byte[256];
    private int streams;

    /// <summary>Takes one batch.</summary>
    /// <exception cref="IOException">Not all of it could be taken: see <see cref="LogStore.Append"/>.</exception>
    public void Apply(AcceptedBatch batch)
    {
        var logs = batch.Batch.Logs;
        if (logs.Length == 0)
        {
            return;
        }

        ofBatch.Clear();
        var agent = AgentOf(batch.Batch);
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
            else if (logs[i].Time >= oldest)
            {
                Append(batch, logs[i], agent, identity with { Index = i });
            }
        }
    }

    private void Append(AcceptedBatch batch, in DecodedLog log, AgentStreams agent, LogIdentity identity)
    {
        var references = batch.Batch.Attributes(log);
        attributes.Clear();
        var input = 0U;
        for (var i = 0; i + 1 < references.Length; i += 2)
        {
            var name = batch.Batch.Symbol(references[i]);
            if (name.SequenceEqual(InputAttribute))
            {
                input = references[i + 1];
            }
            else
            {
                attributes.Add(name, batch.Batch.Symbol(references[i + 1]));
            }
        }

        var number = ((ulong)input << 8) | (byte)log.Severity;
        if (!ofBatch.TryGetValue(number, out var head))
        {
            head = agent.Find(Encoding.UTF8.GetString(batch.Batch.Symbol(input)), log.Severity, ref streams);
            ofBatch.Add(number, head);
        }

        store.Append(new IncomingLine(log.Time.Value, head, identity, batch.Batch.Body(log), attributes), batch.ReceivedAt);
    }

    private AgentStreams AgentOf(DecodedBatch batch)
    {
        var length = WriteKey(batch);
        if (agents.TryGetValue(batch.Key.AgentId, out var agent) && agent.Key.AsSpan().SequenceEqual(key.AsSpan(0, length)))
        {
            return agent;
        }

        streams -= agent?.Count ?? 0;
        if (streams >= StreamsMax)
        {
            agents.Clear();
            streams = 0;
        }

        agent = new AgentStreams(batch, key.AsSpan(0, length).ToArray());
        agents[batch.Key.AgentId] = agent;
        return agent;
    }

    // Each text with its length: no two lists of labels have the same bytes.
    private int WriteKey(DecodedBatch batch)
    {
        var length = 0;
        foreach (var reference in batch.CommonLabels)
        {
            var symbol = batch.Symbol(reference);
            if (key.Length - length < symbol.Length + sizeof(int))
            {
                Array.Resize(ref key, Math.Max(key.Length * 2, length + symbol.Length + sizeof(int)));
            }

            BinaryPrimitives.WriteInt32LittleEndian(key.AsSpan(length), symbol.Length);
            symbol.CopyTo(key.AsSpan(length + sizeof(int)));
            length += symbol.Length + sizeof(int);
        }

        return length;
    }
}
