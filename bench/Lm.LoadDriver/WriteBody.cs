using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Lm.LoadDriver;

/// <summary>A remote-write body, byte by byte: a <c>prometheus.WriteRequest</c> in a Snappy block that holds it as it is.</summary>
internal sealed class WriteBody
{
    private const int LiteralMax = 1 << 16;

    private readonly ArrayBufferWriter<byte> request = new();
    private readonly ArrayBufferWriter<byte> series = new();
    private readonly ArrayBufferWriter<byte> block = new();

    /// <summary>Begins a request.</summary>
    public void Begin() => request.ResetWrittenCount();

    /// <summary>Adds a series with one sample.</summary>
    public void Add(string metric, string instance, int number, long time, double value)
    {
        series.ResetWrittenCount();
        AddLabel("__name__", metric);
        AddLabel("instance", instance);
        AddLabel("n", number.ToString(CultureInfo.InvariantCulture));
        Span<byte> sample = stackalloc byte[20];
        sample[0] = 0x09;
        BinaryPrimitives.WriteDoubleLittleEndian(sample[1..], value);
        sample[9] = 0x10;
        var length = 10 + WriteVarint(sample[10..], (ulong)time);
        series.Write((ReadOnlySpan<byte>)[0x12]);
        series.Write((ReadOnlySpan<byte>)[(byte)length]);
        series.Write(sample[..length]);
        request.Write((ReadOnlySpan<byte>)[0x0a]);
        WriteVarint(request, (ulong)series.WrittenCount);
        request.Write(series.WrittenSpan);
    }

    /// <summary>The body; valid until the next request begins.</summary>
    public ReadOnlyMemory<byte> End()
    {
        block.ResetWrittenCount();
        var content = request.WrittenSpan;
        WriteVarint(block, (ulong)content.Length);
        while (content.Length > 0)
        {
            var count = Math.Min(content.Length, LiteralMax);
            block.Write((ReadOnlySpan<byte>)[61 << 2]); // a literal, two bytes of length
            block.Write((ReadOnlySpan<byte>)[(byte)(count - 1)]);
            block.Write((ReadOnlySpan<byte>)[(byte)((count - 1) >> 8)]);
            block.Write(content[..count]);
            content = content[count..];
        }

        return block.WrittenMemory;
    }

    private void AddLabel(string name, string value)
    {
        series.Write((ReadOnlySpan<byte>)[0x0a]);
        series.Write((ReadOnlySpan<byte>)[(byte)(4 + name.Length + value.Length)]);
        series.Write((ReadOnlySpan<byte>)[0x0a]);
        series.Write((ReadOnlySpan<byte>)[(byte)name.Length]);
        series.Write((ReadOnlySpan<byte>)Encoding.ASCII.GetBytes(name));
        series.Write((ReadOnlySpan<byte>)[0x12]);
        series.Write((ReadOnlySpan<byte>)[(byte)value.Length]);
        series.Write((ReadOnlySpan<byte>)Encoding.ASCII.GetBytes(value));
    }

    private static void WriteVarint(ArrayBufferWriter<byte> target, ulong value)
    {
        Span<byte> bytes = stackalloc byte[10];
        target.Write(bytes[..WriteVarint(bytes, value)]);
    }

    private static int WriteVarint(Span<byte> target, ulong value)
    {
        var length = 0;
        for (; value >= 0x80; value >>= 7)
        {
            target[length++] = (byte)(value | 0x80);
        }

        target[length++] = (byte)value;
        return length;
    }
}
