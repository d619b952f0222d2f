using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;
using Lm.Protocol.Wire;

namespace Lm.Protocol.Decoding;

/// <summary>The strings of one batch: where each lies in the payload, that no two are equal, and which may name labels and metrics.</summary>
/// <remarks>What is known of a symbol is found out once, when it is first asked for, so that a name costs its check once in a batch and not
/// once in a series.</remarks>
internal sealed class SymbolTable
{
    private static readonly SearchValues<byte> LabelNameBytes =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"u8);

    private static readonly SearchValues<byte> MetricNameBytes =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:"u8);

    // Up to here all symbols in one slot cost less than a millisecond, so that the fast hash will do.
    private const int FastHashCountMax = 1024;

    private Growing<Symbol> symbols;
    private Growing<ulong> slots;
    private uint lastSet;

    [Flags]
    internal enum Knowledge
    {
        None = 0,
        LabelAsked = 1,
        IsLabelName = 2,
        IsMetricNameLabel = 4,
        MetricAsked = 8,
        IsMetricName = 16,
    }

    /// <summary>How many there are.</summary>
    public int Count => symbols.Count;

    /// <summary>All of them, until the next is added.</summary>
    public Span<Symbol> All => symbols.Items;

    /// <summary>Bytes of the longest.</summary>
    public int LengthMax { get; private set; }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        symbols.Clear();
        lastSet = 0;
        LengthMax = 0;
    }

    /// <summary>Adds one; the caller has checked that it fits.</summary>
    public void Add(int start, int length, int max)
    {
        symbols.Add(new Symbol { Start = start, Length = length }, max);
        LengthMax = Math.Max(LengthMax, length);
    }

    /// <summary>Adds symbols that follow each other, each with a length of one byte; none perhaps.</summary>
    /// <param name="payload">The batch.</param>
    /// <param name="at">Where they begin.</param>
    /// <param name="max">How many there may be at all.</param>
    /// <returns>Where the first field begins that was not added.</returns>
    public int AddRun(ReadOnlySpan<byte> payload, int at, int max)
    {
        var longest = LengthMax;
        while (at + 1 < payload.Length && payload[at] == Tag.BatchSymbols && symbols.Count < max)
        {
            int length = payload[at + 1];
            if (length >= 0x80 || length > payload.Length - at - 2)
            {
                break;
            }

            symbols.Add(new Symbol { Start = at + 2, Length = length }, max);
            longest = Math.Max(longest, length);
            at += 2 + length;
        }

        LengthMax = longest;
        return at;
    }

    /// <summary>A symbol's bytes in the payload.</summary>
    public ReadOnlySpan<byte> Bytes(ReadOnlySpan<byte> payload, uint reference)
    {
        var symbol = symbols.Items[(int)reference];
        return payload.Slice(symbol.Start, symbol.Length);
    }

    /// <summary>A symbol's length in bytes.</summary>
    public int LengthOf(uint reference) => symbols.Items[(int)reference].Length;

    /// <summary>Checks, when the last one was added, that number 0 is empty, all are UTF-8 and no two are equal.</summary>
    /// <returns>What is wrong, or null.</returns>
    public string? Complete(ReadOnlySpan<byte> payload)
    {
        if (Count == 0)
        {
            // No table is the table of the empty string alone.
            symbols.Add(default, 1);
        }

        PrepareSlots();
        if (LengthOf(0) != 0)
        {
            return $"symbol 0 is {Quote.Text(Bytes(payload, 0))}; it is always empty";
        }

        var all = All;
        var isAscii = IsAscii(payload, all);
        var isSmall = all.Length <= FastHashCountMax;
        for (var i = 0; i < all.Length; i++)
        {
            var bytes = payload.Slice(all[i].Start, all[i].Length);
            if (!isAscii && !Utf8.IsValid(bytes))
            {
                return $"symbol {i} ({Quote.Text(bytes)}) is not valid UTF-8";
            }

            var hash = isSmall ? SymbolHash.Fast(bytes) : SymbolHash.Strong(bytes);
            if (FindOrInsert(payload, bytes, hash, (uint)i) is var other && other != i)
            {
                return $"symbol {i} ({Quote.Text(bytes)}) is symbol {other} again";
            }
        }

        return null;
    }

    /// <summary>Whether a symbol is <c>__name__</c>, or else may name a label.</summary>
    public bool IsLabelName(ReadOnlySpan<byte> payload, uint reference, out bool isMetricNameLabel) =>
        IsLabelName(payload, ref symbols.Items[(int)reference], out isMetricNameLabel);

    /// <summary>The same of one of <see cref="All"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsLabelName(ReadOnlySpan<byte> payload, ref Symbol symbol, out bool isMetricNameLabel)
    {
        if ((symbol.Known & Knowledge.LabelAsked) == 0)
        {
            symbol.Known |= AskLabel(payload.Slice(symbol.Start, symbol.Length));
        }

        isMetricNameLabel = (symbol.Known & Knowledge.IsMetricNameLabel) != 0;
        return (symbol.Known & (Knowledge.IsLabelName | Knowledge.IsMetricNameLabel)) != 0;
    }

    /// <summary>Whether a symbol may name a metric.</summary>
    public bool IsMetricName(ReadOnlySpan<byte> payload, uint reference) => IsMetricName(payload, ref symbols.Items[(int)reference]);

    /// <summary>The same of one of <see cref="All"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsMetricName(ReadOnlySpan<byte> payload, ref Symbol symbol)
    {
        if ((symbol.Known & Knowledge.MetricAsked) == 0)
        {
            symbol.Known |= AskMetric(payload.Slice(symbol.Start, symbol.Length));
        }

        return (symbol.Known & Knowledge.IsMetricName) != 0;
    }

    /// <summary>Begins a set of symbols, at first empty: for finding a name that a record has twice, in one step a name.</summary>
    /// <returns>Its number, which symbols in it bear. A batch has fewer records than there are numbers.</returns>
    public uint BeginSet() => ++lastSet;

    /// <summary>Puts a symbol into the set.</summary>
    /// <returns>False when it was in it.</returns>
    public bool AddToSet(uint reference)
    {
        ref var symbol = ref symbols.Items[(int)reference];
        var isNew = symbol.Set != lastSet;
        symbol.Set = lastSet;
        return isNew;
    }

    /// <summary>Whether a symbol is in the set.</summary>
    public bool IsInSet(uint reference) => symbols.Items[(int)reference].Set == lastSet;

    // All in one go, with the tags and lengths between them, and with whatever else may stand there: if that is ASCII, so are they.
    private static bool IsAscii(ReadOnlySpan<byte> payload, ReadOnlySpan<Symbol> symbols) =>
        Ascii.IsValid(payload[symbols[0].Start..(symbols[^1].Start + symbols[^1].Length)]);

    private static Knowledge AskLabel(ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("__name__"u8))
        {
            return Knowledge.LabelAsked | Knowledge.IsMetricNameLabel;
        }

        var isName = !name.IsEmpty && !char.IsAsciiDigit((char)name[0]) && !name.StartsWith("__"u8) && !name.ContainsAnyExcept(LabelNameBytes);
        return isName ? Knowledge.LabelAsked | Knowledge.IsLabelName : Knowledge.LabelAsked;
    }

    private static Knowledge AskMetric(ReadOnlySpan<byte> name)
    {
        var isName = !name.IsEmpty && !char.IsAsciiDigit((char)name[0]) && !name.ContainsAnyExcept(MetricNameBytes);
        return isName ? Knowledge.MetricAsked | Knowledge.IsMetricName : Knowledge.MetricAsked;
    }

    private void PrepareSlots()
    {
        // At most half full: a look takes one or two steps.
        var size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Count * 2);
        slots.Clear();
        slots.Reserve(size, size)[..size].Clear();
        slots.Take(size);
    }

    // A slot is the hash above the symbol's number plus one; 0 is free. Bytes are compared only where all 32 bits of the hash agree.
    private int FindOrInsert(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> bytes, uint hash, uint number)
    {
        var table = slots.Items;
        for (var at = hash & (uint)(table.Length - 1); ; at = (at + 1) & (uint)(table.Length - 1))
        {
            var slot = table[(int)at];
            if (slot == 0)
            {
                table[(int)at] = ((ulong)hash << 32) | (number + 1);
                return (int)number;
            }

            var other = (uint)slot - 1;
            if ((uint)(slot >> 32) == hash && Bytes(payload, other).SequenceEqual(bytes))
            {
                return (int)other;
            }
        }
    }

    /// <summary>A symbol: where it lies, and what is known of it.</summary>
    internal struct Symbol
    {
        public int Start;
        public int Length;

        /// <summary>What was asked about it yet, and the answers.</summary>
        public Knowledge Known;

        /// <summary>The last set it was put into; 0 for none.</summary>
        public uint Set;
    }
}
