using Lm.Platform;
using Lm.Protocol;

namespace Lm.LoadDriver;

/// <summary>Batches of syslog-like lines, as an agent that follows a busy log file sends them.</summary>
/// <param name="lines">Lines of a batch.</param>
/// <param name="isFlood">Whether each line of each batch has an input of its own, and each batch a label that no other has: a stream for each line.</param>
internal sealed class LogBatch(int lines, bool isFlood)
{
    /// <summary>Between two batches of an agent: thousands of them must lie within the minutes in which an hour's lines are not late.</summary>
    public const int IntervalMs = 20;

    private static readonly Label[] Attributes = [new("input", "syslog")];

    private readonly SyslogLines source = new();

    /// <summary>Bytes of all lines so far.</summary>
    public long BodyBytes { get; private set; }

    /// <summary>One batch as a frame; the result is the caller's own.</summary>
    public byte[] Encode(BatchEncoder encoder, SimulatedAgent agent, ulong sequence, UnixMillis time)
    {
        encoder.Begin(time, IntervalMs, [new Label("site", isFlood ? $"bench {sequence}" : "bench")]);
        var second = new UnixMillis(time.Value / 1000 * 1000); // syslog's times are whole seconds
        for (var i = 0; i < lines; i++)
        {
            var number = ((long)sequence * lines) + i;
            var text = source.Get(number, time.Value);
            BodyBytes += text.Length;
            encoder.AddLog(new LogRecord(second, number * 7919 % 20 < 18 ? 9 : 13 + (int)(number % 2 * 4), System.Text.Encoding.ASCII.GetString(text), isFlood ? [new Label("input", $"input {i}")] : Attributes));
        }

        return encoder.EncodeFrame(new BatchKey(agent.Id, agent.Queue, new SequenceRange(sequence, sequence))).ToArray();
    }
}
