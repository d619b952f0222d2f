using System.Buffers.Binary;
using System.Text;
using Lm.Logs;
using Lm.Protocol;

namespace Lm.Collector.LogRecords;

/// <summary>The streams of batches' log records.</summary>
/// <remarks>The usual batch brings lines of the streams that the batch before of its agent brought, under the same labels: they are found by numbers then, and no
/// text is made of them. What it remembers is bounded in bytes: it is found again when it is forgotten. For one thread at a time.</remarks>
/// <param name="bytesMax">Bytes to remember of all agents; an agent has at most a quarter of them for its streams.</param>
internal sealed class BatchStreams(long bytesMax = BatchStreams.BytesMaxUsual)
{
    /// <summary>Bytes to remember where nothing else is said: some 40,000 usual streams.</summary>
    public const long BytesMaxUsual = 48L << 20;

    /// <summary>The attribute that has a record's own input where its agent has too many (<see cref="AgentStreams.InputsMax"/>).</summary>
    public const string InputNameAttribute = "input_name";

    /// <summary>The attribute that names the agent's input; it becomes a label.</summary>
    private static readonly byte[] InputAttribute = Encoding.UTF8.GetBytes(LogStream.InputLabel);

    private static readonly byte[] InputNameBytes = Encoding.UTF8.GetBytes(InputNameAttribute);

    private readonly Dictionary<string, AgentStreams> agents = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, BatchStream> ofBatch = []; // by the input's symbol and the severity
    private DecodedBatch? batch;
    private AgentStreams? agent;
    private byte[] key = new byte[256];

    /// <summary>Bytes of what it remembers, about.</summary>
    public long MemoryBytes { get; private set; }

    /// <summary>Whether an attribute names the input, and so is a label of the stream and none of the line.</summary>
    public static bool IsInput(ReadOnlySpan<byte> name) => name.SequenceEqual(InputAttribute);

    /// <summary>Whether an attribute has the name of <see cref="InputNameAttribute"/>: a record that brings one keeps it.</summary>
    public static bool IsInputName(ReadOnlySpan<byte> name) => name.SequenceEqual(InputNameBytes);

    /// <summary>Begins a batch.</summary>
    public void Begin(DecodedBatch next)
    {
        ofBatch.Clear();
        batch = next;
        agent = AgentOf(next);
    }

    /// <summary>The stream of one of the batch's records.</summary>
    public BatchStream Of(in DecodedLog log)
    {
        var references = batch!.Attributes(log);
        var input = 0U;
        for (var i = 0; i + 1 < references.Length; i += 2)
        {
            if (IsInput(batch.Symbol(references[i])))
            {
                input = references[i + 1];
            }
        }

        var number = ((ulong)input << 8) | (byte)log.Severity;
        if (!ofBatch.TryGetValue(number, out var stream))
        {
            stream = Find(Encoding.UTF8.GetString(batch.Symbol(input)), log.Severity);
            ofBatch.Add(number, stream);
        }

        return stream;
    }

    private BatchStream Find(string input, int severity)
    {
        MemoryBytes -= agent!.MemoryBytes;
        var head = agent.Find(input, severity, out var isOther);
        if (agent.MemoryBytes > bytesMax / 4)
        {
            agent.ForgetStreams();
        }

        MemoryBytes += agent.MemoryBytes;
        if (MemoryBytes > bytesMax)
        {
            Forget();
            Remember(batch!.Key.AgentId, agent);
        }

        return new BatchStream(head, isOther ? input : null);
    }

    private AgentStreams AgentOf(DecodedBatch next)
    {
        var length = WriteKey(next);
        if (agents.TryGetValue(next.Key.AgentId, out var known) && known.Key.AsSpan().SequenceEqual(key.AsSpan(0, length)))
        {
            return known;
        }

        MemoryBytes -= known?.MemoryBytes ?? 0;
        known = new AgentStreams(next, key.AsSpan(0, length).ToArray(), known);
        if (MemoryBytes + known.MemoryBytes > bytesMax)
        {
            Forget();
        }

        Remember(next.Key.AgentId, known);
        return known;
    }

    private void Forget()
    {
        agents.Clear();
        MemoryBytes = 0;
    }

    private void Remember(string agentId, AgentStreams known)
    {
        agents[agentId] = known;
        MemoryBytes += known.MemoryBytes;
    }

    // Each text with its length: no two lists of labels have the same bytes.
    private int WriteKey(DecodedBatch next)
    {
        var length = 0;
        foreach (var reference in next.CommonLabels)
        {
            var symbol = next.Symbol(reference);
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

/// <summary>A record's stream.</summary>
/// <param name="Head">The stream.</param>
/// <param name="InputName">The record's own input, where its agent has too many for each to be a stream's; else null.</param>
internal readonly record struct BatchStream(StreamHead Head, string? InputName);
