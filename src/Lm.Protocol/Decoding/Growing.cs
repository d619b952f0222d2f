using System.Runtime.CompilerServices;

namespace Lm.Protocol.Decoding;

/// <summary>An array that grows by doubling up to a given length and is used again.</summary>
internal struct Growing<T>
    where T : unmanaged
{
    // Above this an array is given back when it is cleared: one large batch must not raise the collector's memory for good.
    private const int RetainedBytesMax = 1 << 20;

    private T[]? items;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>All of them.</summary>
    public readonly Span<T> Items => items.AsSpan(0, Count);

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        Count = 0;
        if (items is not null && (long)items.Length * Unsafe.SizeOf<T>() > RetainedBytesMax)
        {
            items = null;
        }
    }

    /// <summary>Forgets those from <paramref name="count"/> on.</summary>
    public void CutTo(int count) => Count = count;

    /// <summary>Room behind the last for <paramref name="count"/> more, which <see cref="Take"/> then takes.</summary>
    /// <param name="count">How many more.</param>
    /// <param name="max">How many there may be at all; the caller has checked that these fit.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<T> Reserve(int count, int max)
    {
        if (items is null || items.Length - Count < count)
        {
            Grow(count, max);
        }

        return items.AsSpan(Count);
    }

    /// <summary>Takes what was put into <see cref="Reserve"/>'s room.</summary>
    public void Take(int count) => Count += count;

    /// <summary>Adds one; the caller has checked that it fits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(T item, int max)
    {
        if (items is null || Count == items.Length)
        {
            Grow(1, max);
        }

        items![Count++] = item;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(int count, int max)
    {
        items ??= [];
        Array.Resize(ref items, (int)Math.Min(max, Math.Max((long)Count + count, Math.Max(64, 2L * items.Length))));
    }
}
