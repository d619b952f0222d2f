using Lm.Protocol.Wire;

namespace Lm.Protocol.Tests;

/// <summary>Says the same in other bytes: what protobuf leaves to a writer.</summary>
internal static class WireScramble
{
    private static readonly Dictionary<uint, uint[]> PackedVarints = new()
    {
        [0] = [Tag.BatchCommonLabels],
        [Tag.BatchSeries] = [Tag.SeriesLabels, Tag.SeriesTimeDeltas],
        [Tag.BatchLogs] = [Tag.LogAttributes],
        [Tag.BatchAlerts] = [Tag.AlertLabels],
    };

    /// <summary>Other order of fields, unknown fields in between, packed runs taken apart.</summary>
    /// <param name="message">A message's bytes.</param>
    /// <param name="random">What decides.</param>
    /// <param name="inTag">The tag of the field that the message is in; 0 for the batch itself.</param>
    public static byte[] Of(ReadOnlySpan<byte> message, Random random, uint inTag = 0)
    {
        var fields = new List<byte[]>();
        var reader = new WireReader(message, 0, message.Length);
        while (!reader.AtEnd)
        {
            var start = reader.Position;
            Assert.True(reader.TryReadTag(out var tag));
            var valueAt = reader.Position;
            Assert.True(reader.TrySkip(tag));
            fields.AddRange(Rewrite(message[start..reader.Position], message[valueAt..reader.Position], tag, inTag, random));
        }

        Assert.NotEmpty(fields);
        for (var i = 0; i < 3; i++)
        {
            fields.Insert(random.Next(fields.Count + 1), Unknown(random));
        }

        return Shuffle(fields, random).SelectMany(field => field).ToArray();
    }

    /// <summary>A field that no version knows yet.</summary>
    public static byte[] Unknown(Random random)
    {
        var writer = new WireWriter();
        var number = (uint)random.Next(100, 536_870_911) << 3;
        switch (random.Next(4))
        {
            case 0:
                writer.WriteVarint(number);
                writer.WriteVarint((ulong)random.NextInt64());
                break;
            case 1:
                writer.WriteVarint(number | 1);
                writer.WriteDouble(random.NextDouble());
                break;
            case 2:
                writer.WriteBytesField(number | 2, new byte[random.Next(200)]);
                break;
            default:
                writer.WriteVarint(number | 5);
                writer.WriteRaw([1, 2, 3, 4]);
                break;
        }

        return writer.Written.ToArray();
    }

    private static List<byte[]> Rewrite(ReadOnlySpan<byte> field, ReadOnlySpan<byte> value, uint tag, uint inTag, Random random)
    {
        var writer = new WireWriter();
        var content = new WireReader(value, 0, value.Length);
        if (inTag == 0 && PackedVarints.ContainsKey(tag))
        {
            Assert.True(content.TryReadLengthDelimited(out var start, out var length));
            writer.WriteBytesField(tag, Of(value.Slice(start, length), random, tag));
            return [writer.Written.ToArray()];
        }

        if (PackedVarints[inTag].Contains(tag) && random.Next(2) == 0)
        {
            Assert.True(content.TryReadLengthDelimited(out var start, out var length));
            return TakeApart(value.Slice(start, length), tag);
        }

        return [field.ToArray()];
    }

    private static List<byte[]> TakeApart(ReadOnlySpan<byte> run, uint tag)
    {
        var fields = new List<byte[]>();
        var reader = new WireReader(run, 0, run.Length);
        while (!reader.AtEnd)
        {
            var writer = new WireWriter();
            Assert.True(reader.TryReadVarint(out var number));
            writer.WriteVarint(tag - 2);
            writer.WriteVarint(number);
            fields.Add(writer.Written.ToArray());
        }

        return fields;
    }

    // Fields of different numbers may change places; those of one number keep their order, which means something.
    private static List<byte[]> Shuffle(List<byte[]> fields, Random random)
    {
        var queues = fields.GroupBy(NumberOf).Select(group => new Queue<byte[]>(group)).ToList();
        var shuffled = new List<byte[]>();
        while (queues.Count > 0)
        {
            var queue = queues[random.Next(queues.Count)];
            shuffled.Add(queue.Dequeue());
            if (queue.Count == 0)
            {
                queues.Remove(queue);
            }
        }

        return shuffled;
    }

    private static uint NumberOf(byte[] field)
    {
        var reader = new WireReader(field, 0, field.Length);
        Assert.True(reader.TryReadTag(out var tag));
        return tag >> 3;
    }
}
