using System.Text;
using Lm.Logs;
using Lm.Protocol;

namespace Lm.Collector.LogRecords;

/// <summary>The streams of an agent, as long as its labels stay the same.</summary>
internal sealed class AgentStreams
{
    private readonly List<LogField> labels = [];
    private readonly Dictionary<(string Input, int Severity), StreamHead> known = [];

    /// <summary>Takes the labels that a batch brings for all of its records. Its agent id was verified.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="key">What tells these labels from others.</param>
    public AgentStreams(DecodedBatch batch, byte[] key)
    {
        Key = key;
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
    }

    /// <summary>What tells these labels from others.</summary>
    public byte[] Key { get; }

    /// <summary>How many streams there are.</summary>
    public int Count => known.Count;

    /// <summary>The stream of an input and a severity.</summary>
    /// <param name="input">The input; empty when it is not known.</param>
    /// <param name="severity">OpenTelemetry's number; 0 when it is not known.</param>
    /// <param name="count">Grows with a stream that is new.</param>
    public StreamHead Find(string input, int severity, ref int count)
    {
        if (!known.TryGetValue((input, severity), out var head))
        {
            head = new StreamHead(new LogStream([.. labels, .. Own(input, severity)]));
            known.Add((input, severity), head);
            count++;
        }

        return head;
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
