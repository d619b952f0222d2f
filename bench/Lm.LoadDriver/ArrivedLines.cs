using System.Globalization;
using System.Text;
using Lm.Protocol;
using Lm.Protocol.Framing;

namespace Lm.LoadDriver;

/// <summary>Notes every log record that a collector accepted, one a line: <c>QUEUE-ID SEQUENCE INDEX INPUT FILE BODY</c>, tabs between.</summary>
/// <remarks>A collector that was killed behind its sync answers <c>duplicate</c> when the batch comes again, and never <c>accepted</c>: whichever comes first is noted.
/// One that accepts a batch twice has its lines noted twice.</remarks>
internal sealed class ArrivedLines(AppendOnlyFile output) : IDisposable
{
    private static readonly Limits Limits = new() { LogsPerBatchMax = 1_000_000, LogMessageBytesMax = 16 << 20 };

    private readonly Lock gate = new(); // guards batch and the file's order
    private readonly DecodedBatch batch = new();
    private readonly HashSet<BatchKey> noted = []; // guarded by the gate, too

    /// <summary>Notes the frames of a request that the answer says were accepted: a batch is accepted once, however often it comes.</summary>
    public void Note(ReadOnlyMemory<byte> frames, ReadOnlySpan<byte> answer)
    {
        if (!IngestAck.TryDecode(answer, out var ack))
        {
            throw new LoadException("the collector's answer cannot be read");
        }

        lock (gate)
        {
            while (FrameReader.TryRead(frames.Span, Limits.BatchBytesMax, out var frame) == FrameStatus.Ok)
            {
                var payload = new byte[frame.PayloadLength];
                if (FrameReader.ReadPayload(frames.Span, frame, payload) != FrameStatus.Ok || BatchDecoder.Decode(payload, Limits, batch, out var fault) != DecodeStatus.Ok)
                {
                    throw new LoadException("an accepted frame cannot be read");
                }

                var outcome = ack.Frames.FirstOrDefault(each => each.Sequences == batch.Key.Sequences)?.Outcome;
                if (outcome is FrameOutcome.Accepted or FrameOutcome.Duplicate && (noted.Add(batch.Key) || outcome == FrameOutcome.Accepted))
                {
                    WriteRecords();
                }

                frames = frames[frame.Length..];
            }
        }
    }

    public void Dispose() => output.Dispose();

    private void WriteRecords()
    {
        var text = new StringBuilder();
        for (var i = 0; i < batch.Logs.Length; i++)
        {
            ref readonly var log = ref batch.Logs[i];
            text.Append(CultureInfo.InvariantCulture, $"{batch.Key.QueueId}\t{batch.Key.Sequences.Start}\t{i}\t{Attribute(log, "input")}\t{Attribute(log, "file")}\t{Encoding.UTF8.GetString(batch.Body(log))}\n");
        }

        if (text.Length > 0)
        {
            text.Length--; // WriteLine adds the last line's end
            output.WriteLine(text.ToString());
        }
    }

    private string Attribute(in DecodedLog log, string name)
    {
        var attributes = batch.Attributes(log);
        for (var i = 0; i < attributes.Length; i += 2)
        {
            if (Encoding.UTF8.GetString(batch.Symbol(attributes[i])) == name)
            {
                return Encoding.UTF8.GetString(batch.Symbol(attributes[i + 1]));
            }
        }

        return "";
    }
}
