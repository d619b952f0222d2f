using System.Buffers.Binary;
using System.Text;
using Lm.Logs;
using Lm.Protocol;

namespace Lm.Collector.LogRecords;

/// <summary>The streams of batches' log records.</summary>
/// <remarks>The usual batch brings lines of the streams that the batch before of its agent brought, under the same labels: they are found by numbers then, and no
/// text is made of them. For one thread at a time.</remarks>
internal sealed class BatchStreams
{
    // Streams of all agents: some 40 MB.
    private const int StreamsMax = 65_536;

    /// <summary>The attribute that names the agent's input; it becomes a label.</summary>
    private static readonly byte[] InputAttribute = Encoding.UTF8.GetBytes(LogStream.InputLabel);

    private readonly Dictionary<string, AgentStreams> agents = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, StreamHead> ofBatch = []; // by the input's symbol and the severity
    private DecodedBatch? batch;
    private AgentStreams? agent;
    private byte[] key = new byte[256];
    private int streams;

    /// <summary>Whether an attribute names the input, and so is a label of the stream and none of the line.</summary>
    public static bool IsInput(ReadOnlySpan<byte> name) => name.SequenceEqual(InputAttribute);

    /// <summary>Begins a batch.</summary>
    public void Begin(DecodedBatch next)
    {
        ofBatch.Clear();
        batch = next;
        agent = AgentOf(next);
    }

    /// <summary>The stream of one of the batch's records.</summary>
    public StreamHead Of(in DecodedLog log)
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
        if (!ofBatch.TryGetValue(number, out var head))
        {
            head = agent!.Find(Encoding.UTF8.GetString(batch.Symbol(input)), log.Severity, ref streams);
            ofBatch.Add(number, head);
        }

        return head;
    }

    private AgentStreams AgentOf(DecodedBatch next)
    {
        var length = WriteKey(next);
        if (agents.TryGetValue(next.Key.AgentId, out var known) && known.Key.AsSpan().SequenceEqual(key.AsSpan(0, length)))
        {
            return known;
        }

        streams -= known?.Count ?? 0;
        if (streams >= StreamsMax)
        {
            agents.Clear();
            streams = 0;
        }

        known = new AgentStreams(next, key.AsSpan(0, length).ToArray());
        agents[next.Key.AgentId] = known;
        return known;
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
