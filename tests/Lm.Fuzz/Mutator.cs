using Lm.Protocol.Wire;

namespace Lm.Fuzz;

/// <summary>Damages bytes: blindly, or field by field so that the rest stays what it was and the damage is reached.</summary>
internal sealed class Mutator
{
    private static readonly ulong[] Interesting =
        [0, 1, 2, 3, 4, 5, 7, 8, 24, 25, 127, 128, 255, 256, 65_535, int.MaxValue, 1UL << 31, uint.MaxValue, 1UL << 32, long.MaxValue, 1UL << 63, ulong.MaxValue];

    private readonly byte[][] others;
    private Random random = new(0);

    public Mutator(byte[][] others) => this.others = others;

    public void Seed(long seed, long at) => random = new Random(HashCode(seed, at));

    public int Next(int max) => random.Next(max);

    /// <summary>One to three mutations of a message.</summary>
    public byte[] Message(byte[] message)
    {
        for (var left = 1 + random.Next(3); left > 0; left--)
        {
            message = random.Next(4) == 0 ? Bytes(message) : Fields(message, 0);
        }

        return message;
    }

    /// <summary>One mutation that knows nothing of what the bytes mean.</summary>
    public byte[] Bytes(byte[] bytes)
    {
        if (bytes.Length == 0)
        {
            return [(byte)random.Next(256)];
        }

        var at = random.Next(bytes.Length);
        var length = random.Next(Math.Min(32, bytes.Length - at) + 1);
        var other = others[random.Next(others.Length)];
        switch (random.Next(7))
        {
            case 0:
                return With(bytes, at, (byte)(bytes[at] ^ (1 << random.Next(8))));
            case 1:
                return With(bytes, at, (byte)random.Next(256));
            case 2:
                return bytes[..at];
            case 3:
                return [.. bytes[..at], .. bytes[(at + length)..]];
            case 4:
                return [.. bytes[..(at + length)], .. bytes[at..]];
            case 5:
                return [.. bytes[..at], .. other[random.Next(other.Length)..]];
            default:
                var noise = new byte[random.Next(20)];
                random.NextBytes(noise);
                return [.. bytes[..at], .. noise, .. bytes[at..]];
        }
    }

    // A process' own HashCode is seeded differently each time; a run must be repeatable.
    private static int HashCode(long seed, long at)
    {
        var mixed = ((ulong)seed * 0x9E37_79B9_7F4A_7C15) ^ ((ulong)at * 0xC2B2_AE3D_27D4_EB4F);
        return (int)((mixed ^ (mixed >> 29)) & int.MaxValue);
    }

    private static byte[] With(byte[] bytes, int at, byte value)
    {
        var changed = bytes.ToArray();
        changed[at] = value;
        return changed;
    }

    private byte[] Fields(byte[] message, int depth)
    {
        var fields = Split(message);
        if (fields.Count == 0)
        {
            return Bytes(message);
        }

        var at = random.Next(fields.Count);
        switch (random.Next(8))
        {
            case 0:
                fields.RemoveAt(at);
                break;
            case 1:
                fields.Insert(random.Next(fields.Count), fields[at]);
                break;
            case 2:
                var to = random.Next(fields.Count);
                (fields[at], fields[to]) = (fields[to], fields[at]);
                break;
            case 3:
                fields.InsertRange(at, Enumerable.Repeat(fields[at], random.Next(200)));
                break;
            default:
                fields[at] = Field(fields[at], depth);
                break;
        }

        return fields.SelectMany(field => field).ToArray();
    }

    private static List<byte[]> Split(byte[] message)
    {
        var fields = new List<byte[]>();
        var reader = new WireReader(message, 0, message.Length);
        var start = 0;
        while (!reader.AtEnd && reader.TryReadTag(out var tag) && reader.TrySkip(tag))
        {
            fields.Add(message[start..reader.Position]);
            start = reader.Position;
        }

        if (start < message.Length)
        {
            fields.Add(message[start..]);
        }

        return fields;
    }

    private byte[] Field(byte[] field, int depth)
    {
        var reader = new WireReader(field, 0, field.Length);
        if (!reader.TryReadTag(out var tag))
        {
            return Bytes(field);
        }

        var writer = new WireWriter();
        if (random.Next(6) == 0)
        {
            // Another number or wire type.
            writer.WriteVarint(random.Next(2) == 0 ? tag ^ (uint)random.Next(8) : (uint)random.Next(16) << 3 | (tag & 7));
            writer.WriteRaw(field.AsSpan(reader.Position));
            return writer.Written.ToArray();
        }

        var valueAt = reader.Position;
        writer.WriteVarint(tag);
        if ((tag & 7) == (int)WireType.LengthDelimited && reader.TryReadLengthDelimited(out var start, out var length))
        {
            var content = field[start..(start + length)];
            if (random.Next(8) == 0)
            {
                // A length that lies.
                writer.WriteVarint(Interesting[random.Next(Interesting.Length)]);
                writer.WriteRaw(content);
                return writer.Written.ToArray();
            }

            var changed = random.Next(3) switch
            {
                0 => Bytes(content),
                1 => Numbers(content),
                _ => depth < 3 ? Fields(content, depth + 1) : Bytes(content),
            };
            writer.WriteVarint((ulong)changed.Length);
            writer.WriteRaw(changed);
        }
        else if ((tag & 7) == (int)WireType.Varint)
        {
            writer.WriteVarint(Interesting[random.Next(Interesting.Length)] + (ulong)random.Next(3) - 1);
        }
        else
        {
            writer.WriteRaw(Bytes(field[valueAt..]));
        }

        return writer.Written.ToArray();
    }

    /// <summary>Content taken as a packed run: one number of it becomes another, or many more.</summary>
    private byte[] Numbers(byte[] run)
    {
        var writer = new WireWriter();
        var reader = new WireReader(run, 0, run.Length);
        while (!reader.AtEnd && reader.TryReadVarint(out var value))
        {
            var number = random.Next(4) == 0 ? Interesting[random.Next(Interesting.Length)] : value;
            for (var left = random.Next(20) == 0 ? random.Next(100) : 1; left > 0; left--)
            {
                writer.WriteVarint(number);
            }
        }

        return writer.Written.ToArray();
    }
}
