using System.Text;
using Lm.Logs;
using Lm.Protocol;

namespace Lm.Collector.LogRecords;

/// <summary>The streams of an agent, as long as its labels stay the same.</summary>
internal sealed class AgentStreams
{
    /// <summary>Inputs of an agent that have streams of their own: many times what an agent can be told to follow.</summary>
    public const int InputsMax = 1024;

    /// <summary>The input of records whose own is one too many.</summary>
    public const string OtherInput = "other";

    // An object of this class, and an entry of a table of texts, with a good deal of room.
    private const int OwnBytes = 1024;
    private const int InputBytes = 96;

    private readonly List<LogField> labels = [];
    private readonly Dictionary<(string Input, int Severity), StreamHead> known = [];
    private readonly HashSet<string> inputs;
    private readonly long labelBytes;
    private long streamBytes;
    private long inputBytes;

    /// <summary>Takes the labels that a batch brings for all of its records. Its agent id was verified.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="key">What tells these labels from others.</param>
    /// <param name="before">What was known of the agent under other labels: its inputs count on.</param>
    public AgentStreams(DecodedBatch batch, byte[] key, AgentStreams? before)
    {
        Key = key;
        (inputs, inputBytes) = (before?.inputs ?? new HashSet<string>(StringComparer.Ordinal), before?.inputBytes ?? 0);
        var brought = new Dictionary<string, string>(StringComparer.Ordinal);
        var common = batch.CommonLabels;
        for (var i = 0; i + 1 < common.Length; i += 2)
        {
            var value = batch.Symbol(common[i + 1]);
            if (!value.IsEmpty)
            {
                brought[Encoding.UTF8.GetString(batch.Symbol(common[i]))] = Encoding.UTF8.GetString(value);
            }
        }

        labels.Add(new LogField(LogStream.InstanceLabel, batch.Key.AgentId));
        foreach (var (name, value) in brought)
        {
            labels.Add(new LogField(FreeName(name, brought), value));
        }

        labelBytes = OwnBytes + key.Length + new LogStream(labels).MemoryBytes;
    }

    /// <summary>What tells these labels from others.</summary>
    public byte[] Key { get; }

    /// <summary>Bytes in memory, about.</summary>
    public long MemoryBytes => labelBytes + streamBytes + inputBytes;

    /// <summary>The stream of an input and a severity.</summary>
    /// <param name="input">The input; empty when it is not known.</param>
    /// <param name="severity">OpenTelemetry's number; 0 when it is not known.</param>
    /// <param name="isOther">Whether the agent has too many inputs for this one to have a stream of its own.</param>
    public StreamHead Find(string input, int severity, out bool isOther)
    {
        isOther = input.Length > 0 && !IsOwn(input);
        var name = isOther ? OtherInput : input;
        if (!known.TryGetValue((name, severity), out var head))
        {
            head = new StreamHead(new LogStream([.. labels, .. Own(name, severity)]));
            known.Add((name, severity), head);
            streamBytes += head.MemoryBytes;
        }

        return head;
    }

    /// <summary>Forgets the streams: each is made again when a record of it comes. Which inputs have streams of their own is kept.</summary>
    public void ForgetStreams()
    {
        known.Clear();
        known.TrimExcess();
        streamBytes = 0;
    }

    /// <summary>OpenTelemetry's short name of a severity, in lower case: <c>info</c>, <c>info2</c>.</summary>
    public static string SeverityName(int severity)
    {
        ReadOnlySpan<string> names = ["trace", "debug", "info", "warn", "error", "fatal"];
        if (severity is < 1 or > 24)
        {
            return "";
        }

        var name = names[(severity - 1) / 4];
        var step = (severity - 1) % 4;
        return step == 0 ? name : name + (char)('1' + step);
    }

    private bool IsOwn(string input)
    {
        if (inputs.Contains(input))
        {
            return true;
        }

        if (inputs.Count >= InputsMax)
        {
            return false;
        }

        inputs.Add(input);
        inputBytes += InputBytes + (sizeof(char) * (long)input.Length);
        return true;
    }

    private static IEnumerable<LogField> Own(string input, int severity)
    {
        if (input.Length > 0)
        {
            yield return new LogField(LogStream.InputLabel, input);
        }

        if (SeverityName(severity) is { Length: > 0 } name)
        {
            yield return new LogField(LogStream.SeverityLabel, name);
        }
    }

    // As for series (V22): the prefix is repeated until no label of the agent has the name. Names end differently, so no two meet.
    private static string FreeName(string name, Dictionary<string, string> brought)
    {
        if (!LogStream.ReservedNames.Contains(name))
        {
            return name;
        }

        do
        {
            name = "exported_" + name;
        }
        while (brought.ContainsKey(name));
        return name;
    }
}
