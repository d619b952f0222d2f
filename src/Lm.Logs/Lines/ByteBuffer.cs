namespace Lm.Logs.Lines;

/// <summary>Bytes that grow at their end and are used again.</summary>
internal sealed class ByteBuffer(int capacity = 1024)
{
    private byte[] bytes = new byte[capacity];

    /// <summary>How many there are.</summary>
    public int Length { get; private set; }

    /// <summary>How many it has room for.</summary>
    public int Capacity => bytes.Length;

    /// <summary>All of them, until the next is added.</summary>
    public Span<byte> Written => bytes.AsSpan(0, Length);

    /// <summary>The array that holds them, until the next is added.</summary>
    public byte[] Array => bytes;

    /// <summary>Forgets all.</summary>
    public void Clear() => Length = 0;

    /// <summary>Forgets those from <paramref name="length"/> on.</summary>
    public void CutTo(int length) => Length = length;

    /// <summary>Adds some.</summary>
    public void Add(ReadOnlySpan<byte> more)
    {
        more.CopyTo(Reserve(more.Length));
        Length += more.Length;
    }

    /// <summary>Adds one.</summary>
    public void Add(byte value)
    {
        Reserve(1)[0] = value;
        Length++;
    }

    /// <summary>Room behind the last for at least so many more, which <see cref="Take"/> then takes.</summary>
    public Span<byte> Reserve(int more)
    {
        if (bytes.Length - Length < more)
        {
            System.Array.Resize(ref bytes, Math.Max(bytes.Length * 2, checked(Length + more)));
        }

        return bytes.AsSpan(Length);
    }

    /// <summary>Takes what was put into <see cref="Reserve"/>'s room.</summary>
    public void Take(int count) => Length += count;

    /// <summary>Forgets all, and gives a large array back.</summary>
    public void Release(int kept)
    {
        Length = 0;
        if (bytes.Length > kept)
        {
            bytes = new byte[Math.Min(kept, 1024)];
        }
    }
}
