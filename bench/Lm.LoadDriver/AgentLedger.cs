using System.Globalization;
using System.Security.Cryptography;
using Lm.Protocol;
using Lm.Protocol.Framing;

namespace Lm.LoadDriver;

/// <summary>What a real agent has promised, seen from outside, in the files of the fault kit's contract.</summary>
/// <remarks>
/// A batch is noted when it was sent, or when the agent's queue vouches that it was synced; from then on the agent may neither lose it nor use
/// its number for anything else. So each is in <c>$FAULT_SENT</c> and in <c>$FAULT_ACKED</c>, as <c>AGENT@MILLISECONDS</c> of its collection,
/// which a query can show; and in <c>$FAULT_SENT.batches</c> as <c>QUEUE-ID:SEQUENCE SHA-256 AGENT@MILLISECONDS SOURCE</c>.
/// </remarks>
internal sealed class AgentLedger(AppendOnlyFile sent, AppendOnlyFile acked, AppendOnlyFile batches) : IDisposable
{
    private static readonly Limits Limits = new();

    private readonly Lock gate = new(); // guards known, noted and batch
    private readonly HashSet<string> known = [];
    private readonly HashSet<string> noted = [];
    private readonly DecodedBatch batch = new();

    public static AgentLedger Open() => new(
        new AppendOnlyFile(FaultJournal.File("FAULT_SENT")),
        new AppendOnlyFile(FaultJournal.File("FAULT_ACKED")),
        new AppendOnlyFile(FaultJournal.File("FAULT_SENT") + ".batches"));

    /// <summary>How a held heartbeat and a noted batch are told to be the same.</summary>
    public static string Id(string agent, long collectedAtMs) => string.Create(CultureInfo.InvariantCulture, $"{agent}@{collectedAtMs}");

    /// <summary>Notes whole frames; what is none is noted as malformed, which no check lets pass.</summary>
    /// <param name="frames">Frames, one behind the other.</param>
    /// <param name="source">Where they were seen.</param>
    public void Note(ReadOnlyMemory<byte> frames, string source)
    {
        lock (gate)
        {
            while (!frames.IsEmpty)
            {
                if (!TryDecode(frames, out var length))
                {
                    batches.WriteLine($"malformed {Hash(frames.Span)} - {source}");
                    return;
                }

                NoteBatch(Hash(frames.Span[..length]), source);
                frames = frames[length..];
            }
        }
    }

    public void Dispose()
    {
        sent.Dispose();
        acked.Dispose();
        batches.Dispose();
    }

    private void NoteBatch(string hash, string source)
    {
        var id = Id(batch.Key.AgentId, batch.CollectedAt.Value);
        var line = $"{batch.Key.QueueId}:{batch.Key.Sequences} {hash} {id} {source}";
        if (!known.Add(line))
        {
            return;
        }

        batches.WriteLine(line);
        if (noted.Add(id))
        {
            sent.WriteLine(id);
            acked.WriteLine(id);
        }
    }

    private bool TryDecode(ReadOnlyMemory<byte> frames, out int length)
    {
        length = 0;
        if (FrameReader.TryRead(frames.Span, Limits.BatchBytesMax, out var frame) != FrameStatus.Ok)
        {
            return false;
        }

        var payload = new byte[frame.PayloadLength];
        length = frame.Length;
        return FrameReader.ReadPayload(frames.Span, frame, payload) == FrameStatus.Ok
            && BatchDecoder.Decode(payload, Limits, batch, out _) == DecodeStatus.Ok;
    }

    private static string Hash(ReadOnlySpan<byte> frame) => Convert.ToHexStringLower(SHA256.HashData(frame));
}
