namespace Lm.ObjectStore;

/// <summary>The bytes of an object that is to be put. They must stay the same until the put has ended: it reads them once to sign them, once to send
/// them, and again for each further try.</summary>
public abstract class ObjectContent
{
    /// <summary>How many.</summary>
    public abstract long Length { get; }

    /// <summary>Reads at an offset until the buffer is full or the content ends. Called from several threads at once for parts of a large object.</summary>
    /// <returns>Bytes read; fewer than asked only at the end.</returns>
    /// <exception cref="IOException">They cannot be read.</exception>
    public abstract int Read(long offset, Span<byte> buffer);

    /// <summary>Bytes in memory.</summary>
    public static ObjectContent Of(ReadOnlyMemory<byte> bytes) => new MemoryContent(bytes);

    private sealed class MemoryContent(ReadOnlyMemory<byte> bytes) : ObjectContent
    {
        public override long Length => bytes.Length;

        public override int Read(long offset, Span<byte> buffer)
        {
            if (offset >= bytes.Length)
            {
                return 0;
            }

            var rest = bytes.Span[(int)offset..];
            var count = Math.Min(rest.Length, buffer.Length);
            rest[..count].CopyTo(buffer);
            return count;
        }
    }
}
