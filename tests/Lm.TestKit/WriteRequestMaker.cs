using System.Buffers.Binary;
using System.Text;

namespace Lm.TestKit;

/// <summary>Makes <c>prometheus.WriteRequest</c> (remote write 1.0) byte by byte, and wrong ones, too.</summary>
public sealed class WriteRequestMaker
{
    private readonly List<byte> request = [];

    /// <summary>Adds a series; labels stand as given.</summary>
    public WriteRequestMaker Series(IEnumerable<(string Name, string Value)> labels, params IEnumerable<(long Time, double Value)> samples) =>
        Series(labels.Select(label => (Encoding.UTF8.GetBytes(label.Name), Encoding.UTF8.GetBytes(label.Value))), samples);

    /// <summary>Adds a series whose labels are bytes.</summary>
    public WriteRequestMaker Series(IEnumerable<(byte[] Name, byte[] Value)> labels, params IEnumerable<(long Time, double Value)> samples)
    {
        var series = new List<byte>();
        foreach (var (name, value) in labels)
        {
            series.AddRange(Label(name, value));
        }

        foreach (var (time, value) in samples)
        {
            series.AddRange(Sample(time, value));
        }

        return Field(1, [.. series]);
    }

    /// <summary>Adds a series of one sample by the name of its metric and its job.</summary>
    public WriteRequestMaker Series(string metric, string job, long time, double value) => Series([("__name__", metric), ("job", job)], (time, value));

    /// <summary>Adds what is known about a metric; the type as the specification numbers it.</summary>
    public WriteRequestMaker Metadata(int type, string metric, string help, string unit)
    {
        byte[] Text(int number, string text) => LengthDelimited(number, Encoding.UTF8.GetBytes(text));
        return Field(3, [0x08, (byte)type, .. Text(2, metric), .. Text(4, help), .. Text(5, unit)]);
    }

    /// <summary>Adds a length-delimited field.</summary>
    public WriteRequestMaker Field(int number, byte[] content)
    {
        request.AddRange(LengthDelimited(number, content));
        return this;
    }

    /// <summary>One label of a series.</summary>
    public static byte[] Label(byte[] name, byte[] value) => LengthDelimited(1, [.. LengthDelimited(1, name), .. LengthDelimited(2, value)]);

    /// <summary>One sample of a series; as proto3 has it, zeros are left out.</summary>
    public static byte[] Sample(long time, double value)
    {
        var sample = new List<byte>();
        if (BitConverter.DoubleToInt64Bits(value) != 0)
        {
            var bits = new byte[sizeof(double)];
            BinaryPrimitives.WriteDoubleLittleEndian(bits, value);
            sample.Add(0x09);
            sample.AddRange(bits);
        }

        if (time != 0)
        {
            sample.Add(0x10);
            sample.AddRange(Varint((ulong)time));
        }

        return LengthDelimited(2, [.. sample]);
    }

    /// <summary>A field with a length.</summary>
    public static byte[] LengthDelimited(int number, byte[] content) => [.. Varint(((ulong)number << 3) | 2), .. Varint((ulong)content.Length), .. content];

    /// <summary>The message.</summary>
    public byte[] ToPayload() => [.. request];

    /// <summary>The message as a Snappy block.</summary>
    public byte[] ToBody() => Block(ToPayload());

    /// <summary>A Snappy block of literals alone.</summary>
    public static byte[] Block(byte[] content)
    {
        var block = new List<byte>(Varint((ulong)content.Length));
        if (content.Length > 0)
        {
            var length = new byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)content.Length - 1);
            block.Add(0xfc);
            block.AddRange(length);
            block.AddRange(content);
        }

        return [.. block];
    }

    private static List<byte> Varint(ulong value)
    {
        var bytes = new List<byte>();
        while (value >= 0x80)
        {
            bytes.Add((byte)(value | 0x80));
            value >>= 7;
        }

        bytes.Add((byte)value);
        return bytes;
    }
}
