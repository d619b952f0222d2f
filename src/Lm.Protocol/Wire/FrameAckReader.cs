using System.Text;

namespace Lm.Protocol.Wire;

/// <summary>Reads one <c>lightmetrics.v1.FrameAck</c>.</summary>
internal static class FrameAckReader
{
    // A request holds far fewer frames: an answer of two bytes a frame must not become a hundred bytes of memory each.
    private const int FramesMax = 65_536;

    public static bool TryRead(ReadOnlySpan<byte> bytes, int start, int length, List<FrameAck> frames)
    {
        var (seqStart, seqEnd) = (0UL, 0UL);
        var (outcome, status, tooOld, overLimit) = (0u, 0u, 0u, 0u);
        var (code, detail) = ("", "");
        var reader = new WireReader(bytes, start, length);
        while (!reader.AtEnd)
        {
            var read = reader.TryReadTag(out var tag) && tag switch
            {
                Tag.FrameSeqStart => reader.TryReadVarint(out seqStart),
                Tag.FrameSeqEnd => reader.TryReadVarint(out seqEnd),
                Tag.FrameOutcome => reader.TryReadUInt32(out outcome),
                Tag.FrameStatus => reader.TryReadUInt32(out status),
                Tag.FrameCode => TryReadText(bytes, ref reader, out code),
                Tag.FrameDetail => TryReadText(bytes, ref reader, out detail),
                Tag.FrameDroppedTooOld => reader.TryReadUInt32(out tooOld),
                Tag.FrameDroppedOverLimit => reader.TryReadUInt32(out overLimit),
                _ => reader.TrySkip(tag),
            };
            if (!read)
            {
                return false;
            }
        }

        if (frames.Count >= FramesMax || seqEnd < seqStart || Math.Max(status, Math.Max(tooOld, overLimit)) > int.MaxValue)
        {
            return false;
        }

        // What a later collector may say means nothing yet: it acknowledges nothing.
        var known = outcome <= (uint)FrameOutcome.Refused ? (FrameOutcome)outcome : FrameOutcome.Unknown;
        frames.Add(new FrameAck(new SequenceRange(seqStart, seqEnd), known, (int)status, code, detail, (int)tooOld, (int)overLimit));
        return true;
    }

    private static bool TryReadText(ReadOnlySpan<byte> bytes, ref WireReader reader, out string text)
    {
        text = "";
        if (!reader.TryReadLengthDelimited(out var start, out var length)
            || !System.Text.Unicode.Utf8.IsValid(bytes.Slice(start, length)))
        {
            return false;
        }

        text = Encoding.UTF8.GetString(bytes.Slice(start, length));
        return true;
    }
}
