using Lm.Protocol.Wire;

namespace Lm.Protocol.RemoteWrite;

/// <summary>Reads a series' labels, in the order sent, out of bytes whose structure was checked. Labels with an empty value are among them.</summary>
public ref struct WriteLabels
{
    private readonly ReadOnlySpan<byte> payload;
    private WireReader reader;

    internal WriteLabels(ReadOnlySpan<byte> payload, int start, int length)
    {
        this.payload = payload;
        reader = new WireReader(payload, start, length);
    }

    /// <summary>The label's name, UTF-8.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>The label's value, UTF-8.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Goes to the next label.</summary>
    /// <returns>False behind the last.</returns>
    public bool MoveNext()
    {
        while (!reader.AtEnd && reader.TryReadTag(out var tag))
        {
            if (tag != WriteTag.SeriesLabel)
            {
                if (!reader.TrySkip(tag))
                {
                    return false;
                }

                continue;
            }

            if (!reader.TryReadLengthDelimited(out var start, out var length)
                || !RemoteWriteDecoder.TryReadLabel(payload, start, length, out var name, out var value))
            {
                return false;
            }

            Name = payload.Slice(name.Start, name.Length);
            Value = payload.Slice(value.Start, value.Length);
            return true;
        }

        return false;
    }
}
