using Lm.Protocol.Framing;
using Lm.Protocol.Wire;

namespace Lm.Protocol.Tests;

/// <summary>Frames and fields in pieces.</summary>
internal static class Frames
{
    public static byte[] Of(ReadOnlySpan<byte> payload)
    {
        var room = new byte[FrameWriter.SizeMax(payload.Length)];
        return room[..FrameWriter.Write(payload, room)];
    }

    public static byte[] Uncompressed(ReadOnlySpan<byte> payload)
    {
        var room = new byte[FrameReader.HeaderSize + payload.Length];
        return room[..FrameWriter.WriteUncompressed(payload, room)];
    }

    /// <summary>A message's bytes without the fields of these numbers.</summary>
    public static byte[] FieldsBut(ReadOnlySpan<byte> message, params uint[] numbers)
    {
        var kept = new List<byte>();
        var reader = new WireReader(message, 0, message.Length);
        while (!reader.AtEnd)
        {
            var start = reader.Position;
            Assert.True(reader.TryReadTag(out var tag) && reader.TrySkip(tag));
            if (!numbers.Contains(tag >> 3))
            {
                kept.AddRange(message[start..reader.Position]);
            }
        }

        return [.. kept];
    }
}
